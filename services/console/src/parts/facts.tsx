import type { ReactNode } from "react";
import styles from "./card.module.css";

export type Fact = readonly [name: ReactNode, value: ReactNode];

/** What a thing is: names and values, each on a line of a card. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value], n) => (
        <div key={n}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

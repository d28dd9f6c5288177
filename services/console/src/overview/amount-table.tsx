import { Text } from "../parts/text.tsx";
import styles from "./overview.module.css";

/** Amounts by a word, each with a bar beside its number. */
export function AmountTable({
  caption,
  rows,
  children,
}: {
  /** What the words are. */
  readonly caption: string;
  readonly rows: readonly (readonly [word: string, amount: number])[];
  /** The number of a row, as a link. */
  readonly children?: (word: string, shown: string) => React.ReactNode;
}) {
  const most = Math.max(...rows.map(([, amount]) => amount));
  return (
    <table className={styles.amounts}>
      <thead>
        <tr>
          <th scope="col">{caption}</th>
          <th scope="col" colSpan={2}>
            Deliveries
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([word, amount]) => {
          const shown = amount.toLocaleString("en");
          return (
            <tr key={word}>
              <th scope="row">
                <Text>{word.replaceAll("_", " ")}</Text>
              </th>
              <td className={styles.bar}>
                <div style={{ width: `${(100 * amount) / most}%` }} />
              </td>
              <td>{children?.(word, shown) ?? shown}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

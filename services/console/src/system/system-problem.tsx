import type { SystemProblem } from "../api/answers-system.ts";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import styles from "./system.module.css";

/** Why something is not known, and the command that mends it; nothing where nothing is amiss. */
export function SystemProblemNote({
  of,
}: {
  readonly of: SystemProblem | null;
}) {
  if (of === null) return null;
  return (
    <div className={styles.amiss}>
      <Sign tone="wait">Not known</Sign> <Text>{of.detail}</Text>
      {of.command !== null && (
        <code>
          <Text>{of.command}</Text>
        </code>
      )}
    </div>
  );
}

/** What a page shows where it has no rows to show: why, and what to do. */
import { Button } from "@mantine/core";
import { ApiProblem } from "../api/api-problem.ts";
import { Text } from "./text.tsx";
import { Time } from "./time.tsx";
import styles from "./notices.module.css";

export function Loading({ what }: { readonly what: string }) {
  return (
    <p className={styles.notice} role="status">
      <span className={styles.spinner} aria-hidden="true" />
      Loading {what}…
    </p>
  );
}

/** There is nothing, or nothing that matches. */
export function Nothing({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: React.ReactNode;
}) {
  return (
    <div className={styles.notice} role="status">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({
  error,
  onRetry,
  readAt = 0,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
  /** When what is still shown below was read, ms since the epoch; 0: nothing is. */
  readonly readAt?: number;
}) {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <div className={`${styles.notice} ${styles.failure}`} role="alert">
      <h2>{problem?.title ?? "This page has a fault"}</h2>
      <p>
        <Text>{error instanceof Error ? error.message : String(error)}</Text>
      </p>
      {problem !== null && problem.errors.length > 1 && (
        <ul>
          {problem.errors.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              <code>{field}</code> <Text>{message}</Text>
            </li>
          ))}
        </ul>
      )}
      {problem?.nextStep != null && <p>{problem.nextStep}</p>}
      {readAt > 0 && (
        <p>
          What is below was read <Time at={new Date(readAt).toISOString()} />.
        </p>
      )}
      {onRetry !== undefined && (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

import type { AttemptEntry } from "../api/answers.ts";
import { Body } from "../parts/body.tsx";
import { HeaderTable } from "../parts/header-table.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { shownDuration } from "../shown/amounts.ts";
import { phasesOf } from "../shown/phases.ts";
import { attemptSentence } from "../shown/sentences.ts";
import styles from "./delivery.module.css";

/** One request and what it showed. */
export function Attempt({
  attempt,
  waitedIn,
  isOpen,
}: {
  readonly attempt: AttemptEntry;
  /** The tier in which it waited for its turn, which the attempt before it chose. */
  readonly waitedIn: string | null;
  readonly isOpen: boolean;
}) {
  const { attemptNumber, statusCode, outcome, error, trigger } = attempt;
  const { responseBody, responseHeaders, nextAttemptAt } = attempt;
  const isDelivered = outcome === "delivered";
  return (
    <details className={styles.attempt} open={isOpen}>
      <summary>
        <strong>Attempt {attemptNumber}</strong>
        <span className={isDelivered ? styles.good : styles.wrong}>
          {isDelivered ? "✓" : "✕"} {statusCode ?? wordsOf(outcome)}
        </span>
        <span className={styles.note}>
          {shownDuration(attempt.durationMs)}
          {waitedIn !== null && `, after waiting in tier ${waitedIn}`}
          {trigger !== "first" && trigger !== "retry" && `, by ${trigger}`}
        </span>
      </summary>
      <div className={styles.inside}>
        <p>{attemptSentence(attempt)}</p>
        {error !== null && !isDelivered && (
          <p className={styles.note}>
            <Text>{error}</Text>
          </p>
        )}
        <Phases attempt={attempt} />
        {nextAttemptAt !== null && (
          <p>
            The next attempt is due <Time at={nextAttemptAt} />
            {attempt.tier !== null && ` (tier ${attempt.tier})`}.
          </p>
        )}
        <HeaderTable headers={responseHeaders} title="Response headers" />
        {responseBody === null ? (
          <p className={styles.note}>The answer had no body.</p>
        ) : (
          <div>
            <h3>Response body</h3>
            <Body
              text={responseBody}
              label={`Response body of attempt ${attemptNumber}`}
            />
          </div>
        )}
      </div>
    </details>
  );
}

function wordsOf(outcome: string | null): string {
  return outcome?.replaceAll("_", " ") ?? "not recorded";
}

/** Where the time went, as one bar. Its legend has the same as text. */
function Phases({ attempt }: { readonly attempt: AttemptEntry }) {
  const phases = phasesOf(attempt);
  const { queueMs, isReused, remoteAddress } = attempt;
  return (
    <div className={styles.phases}>
      <div className={styles.bar} aria-hidden="true">
        {phases.map(({ name, ms }, at) => (
          <span key={name} style={{ flexGrow: ms }} data-phase={at % 5} />
        ))}
      </div>
      <ul>
        {phases.map(({ name, ms }, at) => (
          <li key={name}>
            <i data-phase={at % 5} aria-hidden="true" /> {name}{" "}
            {shownDuration(ms)}
          </li>
        ))}
        {isReused && <li>on a connection that was open</li>}
        {remoteAddress != null && <li>to {remoteAddress}</li>}
        {queueMs > 0 && (
          <li>started {shownDuration(queueMs)} after it was due</li>
        )}
      </ul>
    </div>
  );
}

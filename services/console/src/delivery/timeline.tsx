import type {
  DeliveryWithTimeline,
  SignalEntry,
  TimelineEntry,
} from "../api/answers.ts";
import { Text } from "../parts/text.tsx";
import { ExactTime, Time } from "../parts/time.tsx";
import { shownBytes, shownDuration } from "../shown/amounts.ts";
import { deadLetterSentence, deferralSentence } from "../shown/sentences.ts";
import { Attempt } from "./attempt.tsx";
import styles from "./delivery.module.css";

/** Oldest first. The last attempt is open: it is the one that people come for. */
export function Timeline({
  delivery,
}: {
  readonly delivery: DeliveryWithTimeline;
}) {
  const { timeline, truncated, receivedAt } = delivery;
  const lastAttempt = timeline.findLastIndex(({ kind }) => kind === "attempt");
  return (
    <>
      <ol className={styles.timeline}>
        {timeline.map((entry, at) => (
          <li
            // oxlint-disable-next-line react/no-array-index-key -- the order is that of time, and new ones come at the end
            key={`${entry.kind} ${entry.at} ${at}`}
            className={styles[`entry_${entry.kind}`]}
          >
            <p className={styles.when}>
              <ExactTime at={entry.at} />
              <span>{sinceReceived(receivedAt, entry.at)}</span>
            </p>
            <Entry
              entry={entry}
              before={timeline[at - 1]}
              isLastAttempt={at === lastAttempt}
            />
          </li>
        ))}
      </ol>
      {truncated && (
        <p className={styles.note}>There is more than is shown here.</p>
      )}
    </>
  );
}

/** `+3.4 s` after the event came in; nothing for what was before, by a clock that differs. */
function sinceReceived(from: string | null, at: string | null): string {
  if (from === null || at === null) return "";
  const ms = Date.parse(at) - Date.parse(from);
  return ms > 0 ? `+${shownDuration(ms)}` : "";
}

function Entry({
  entry,
  before,
  isLastAttempt,
}: {
  readonly entry: TimelineEntry;
  readonly before: TimelineEntry | undefined;
  readonly isLastAttempt: boolean;
}) {
  switch (entry.kind) {
    case "event":
      return (
        <p>
          <strong>The event came in</strong>, {shownBytes(entry.payloadBytes)}.
        </p>
      );
    case "attempt":
      return (
        <Attempt
          attempt={entry}
          waitedIn={before?.kind === "attempt" ? before.tier : null}
          isOpen={isLastAttempt}
        />
      );
    case "deferral":
      return (
        <p>
          <strong>Put off</strong>: {deferralSentence(entry.deferralReason)}{" "}
          {entry.nextAttemptAt !== null && (
            <>
              Until <Time at={entry.nextAttemptAt} />.
            </>
          )}
        </p>
      );
    case "signal":
      return (
        <p>
          <strong>{signalWords(entry)}</strong>
          {entry.detail !== "" && (
            <>
              : <Text>{entry.detail}</Text>
            </>
          )}
        </p>
      );
    case "dead_letter":
      return (
        <p>
          <strong>{entry.reason === "paused" ? "Parked" : "Given up"}</strong>:{" "}
          {deadLetterSentence(entry.reason)}
          {entry.detail !== null && (
            <span className={styles.detail}>
              <Text>{entry.detail}</Text>
            </span>
          )}
        </p>
      );
  }
}

/** `breaker_opened`: The endpoint's breaker opened */
function signalWords({ signal }: SignalEntry): string {
  const words = signal.replaceAll("_", " ");
  return words.startsWith("breaker")
    ? `The endpoint's ${words}`
    : `The endpoint: ${words}`;
}

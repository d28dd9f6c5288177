import type { EndpointPreview, ReplayPreview } from "../api/answers-replays.ts";
import { Text } from "../parts/text.tsx";
import { counted, shownDuration } from "../shown/amounts.ts";
import { leftOutSentence } from "../shown/sentences.ts";
import { utcTime } from "../shown/shown-time.ts";
import { LeftOutList } from "./left-out-list.tsx";
import styles from "./replay.module.css";

/** What a replay would send, and what it would leave out and why. */
export function Preview({ preview }: { readonly preview: ReplayPreview }) {
  const { total, toSend, leftOut, endpoints, endpointCount } = preview;
  if (total === 0)
    return (
      <>
        <p role="alert">
          Nothing is selected: no delivery that is recorded matches.
        </p>
        <Beyond preview={preview} />
      </>
    );
  return (
    <div className={styles.preview}>
      {toSend > 0 ? (
        <p>{sentenceOf(preview)}</p>
      ) : (
        <p role="alert">
          {total === 1
            ? "It cannot be sent again:"
            : `None of the ${total} can be sent again:`}
        </p>
      )}
      {toSend > 0 && total > toSend && <p>{total - toSend} are left out:</p>}
      {total > toSend && <LeftOutList leftOut={leftOut} />}
      <Beyond preview={preview} />
      {endpointCount > 1 && (
        <Endpoints endpoints={endpoints} endpointCount={endpointCount} />
      )}
    </div>
  );
}

/** What is selected and is in no count. */
function Beyond({ preview }: { readonly preview: ReplayPreview }) {
  const { wholeSince = null, withoutDelivery = {} } =
    preview as Partial<ReplayPreview>; // an older control does not have them
  return (
    <>
      {wholeSince !== null && (
        <p>
          Nothing of before {utcTime(Date.parse(wholeSince))} is selected:
          ClickHouse drops what came in then, or has begun to.
        </p>
      )}
      <WithoutDelivery letters={withoutDelivery} />
    </>
  );
}

/** What no replay can send, and what to do about it. */
function WithoutDelivery({
  letters,
}: {
  readonly letters: ReplayPreview["withoutDelivery"];
}) {
  const reasons = Object.entries(letters);
  if (reasons.length === 0) return null;
  const sum = reasons.reduce((all, [, count]) => all + count, 0);
  const named = reasons.map(
    ([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`,
  );
  return (
    <p>
      {counted(sum, "dead letter")} more {sum === 1 ? "has" : "have"} no
      delivery that could be sent again (<Text>{named.join(", ")}</Text>): their
      events are to be published again.
    </p>
  );
}

const REPEAT =
  "with the same webhook-id: a receiver that knows it takes it for a repeat.";

function sentenceOf(preview: ReplayPreview): string {
  const { total, toSend, seconds, ratePerSecond } = preview;
  if (total === 1)
    return `The event is sent to the endpoint once more, as a new delivery ${REPEAT}`;
  const events =
    toSend === total ? `${total} events are` : `${toSend} of ${total} are`;
  return `${events} sent once more, each as a new delivery ${REPEAT} At ${ratePerSecond} a second it takes ${shownDuration(seconds * 1_000)} at least.`;
}

/** Those that the API tells of. */
function Endpoints({
  endpoints,
  endpointCount,
}: {
  readonly endpoints: readonly EndpointPreview[];
  readonly endpointCount: number;
}) {
  const more = endpointCount - endpoints.length;
  return (
    <table className={styles.endpoints}>
      <thead>
        <tr>
          <th scope="col">Endpoint</th>
          <th scope="col" className={styles.number}>
            To send
          </th>
        </tr>
      </thead>
      <tbody>
        {endpoints.map(({ endpointId, toSend, total, lack }) => (
          <tr key={endpointId}>
            <td>
              <Text>{endpointId}</Text>
              {lack !== null && (
                <small>
                  <Text>{leftOutSentence(lack)}</Text>
                </small>
              )}
            </td>
            <td className={styles.number}>
              {toSend === total ? toSend : `${toSend} of ${total}`}
            </td>
          </tr>
        ))}
        {more > 0 && (
          <tr>
            <td colSpan={2}>and {counted(more, "more endpoint")}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

import type { Arrival, Explanation } from "../api/answers-event.ts";
import { Facts, type Fact } from "../parts/facts.tsx";
import styles from "../parts/card.module.css";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { arrivalSentence } from "../shown/event-sentences.ts";

/** What the event is, and how it came in. */
export function EventFacts({ event }: { readonly event: Explanation }) {
  const { id, tenantId, arrival, arrivals } = event;
  const facts: readonly Fact[] = [
    ["Event", <Text key="id">{id}</Text>],
    ["Tenant", <Text key="tenant">{tenantId ?? "not known"}</Text>],
    ["Came in", <CameIn key="in" event={event} />],
    ...(arrival === null ? [] : factsOf(arrival)),
    ...(arrivals.count > 1
      ? [["Arrivals", <Arrivals key="arrivals" arrivals={arrivals} />] as const]
      : []),
  ];
  return (
    <section className={styles.card} aria-labelledby="facts">
      <h2 id="facts">Event</h2>
      <Facts facts={facts} />
    </section>
  );
}

function CameIn({ event }: { readonly event: Explanation }) {
  const { arrival } = event;
  if (arrival === null) return <>{arrivalSentence(event)}</>;
  return (
    <>
      <Time at={arrival.receivedAt} />, {arrivalSentence(event)}
    </>
  );
}

function factsOf(arrival: Arrival) {
  const { source, occurredAt, decision, reason } = arrival;
  return [
    ...(occurredAt === null
      ? []
      : [["Occurred", <Time key="occurred" at={occurredAt} />] as const]),
    [
      "Decision",
      <>
        {decision.replaceAll("_", " ")}
        {reason !== null && (
          <small>
            <Text>{reason}</Text>
          </small>
        )}
      </>,
    ] as const,
    [
      "Record",
      <Text key="record">{`${source.topic}/${source.partition}@${source.offset}`}</Text>,
    ] as const,
  ];
}

function Arrivals({
  arrivals,
}: {
  readonly arrivals: Explanation["arrivals"];
}) {
  const { count, others } = arrivals;
  const hidden = count - 1 - others.length;
  return (
    <>
      {count} times; the others:
      {others.map(({ source, receivedAt, decision, reason }) => (
        <small key={`${source.topic} ${source.partition} ${source.offset}`}>
          <Time at={receivedAt} />, {decision.replaceAll("_", " ")}
          {reason !== null && (
            <>
              : <Text>{reason}</Text>
            </>
          )}
        </small>
      ))}
      {hidden > 0 && <small>and {hidden} more</small>}
    </>
  );
}

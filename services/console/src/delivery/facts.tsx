import { Link } from "@tanstack/react-router";
import type { Delivery } from "../api/answers.ts";
import { Facts as FactList, type Fact } from "../parts/facts.tsx";
import styles from "../parts/card.module.css";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import type { FoundEndpoint } from "../payload/use-endpoint.ts";

/** What a delivery is, and where it goes. */
export function Facts({
  delivery,
  endpoint,
}: {
  readonly delivery: Delivery;
  readonly endpoint: FoundEndpoint;
}) {
  const facts: readonly Fact[] = [
    ["Endpoint", <Where key="where" id={delivery.endpointId} of={endpoint} />],
    [
      "Event",
      <Link
        key="event"
        to="/events/$id"
        params={{ id: delivery.eventId }}
        search={{ tenantId: delivery.tenantId }}
      >
        <Text>{delivery.eventId}</Text>
      </Link>,
    ],
    ["Delivery", <Text key="delivery">{delivery.id}</Text>],
    ["Tenant", <Text key="tenant">{delivery.tenantId}</Text>],
    ["Received", <Time key="received" at={delivery.receivedAt} />],
    ["Changed", <Time key="changed" at={delivery.changedAt} />],
    ...(delivery.nextAttemptAt === null
      ? []
      : [
          [
            "Next attempt",
            <Time key="next" at={delivery.nextAttemptAt} />,
          ] as const,
        ]),
    ...(delivery.replayId === null
      ? []
      : [
          [
            "Sent again by",
            <Link
              key="replay"
              to="/replays/$id"
              params={{ id: delivery.replayId }}
            >
              <Text>{delivery.replayId}</Text>
            </Link>,
          ] as const,
        ]),
  ];
  return (
    <section className={styles.card} aria-labelledby="facts">
      <h2 id="facts">Delivery</h2>
      <FactList facts={facts} />
    </section>
  );
}

function Where({
  id,
  of,
}: {
  readonly id: string;
  readonly of: FoundEndpoint;
}) {
  switch (of.kind) {
    case "known":
      return (
        <>
          <Link to="/endpoints/$id" params={{ id }}>
            <Text>{of.endpoint.url}</Text>
          </Link>
          <small>
            <Text>{id}</Text>
            {of.endpoint.state !== "enabled" && `, ${of.endpoint.state}`}
          </small>
        </>
      );
    case "inline":
      return <>the destination that the event brought</>;
    case "deleted":
      return (
        <>
          <Text>{id}</Text>
          <small>deleted since</small>
        </>
      );
    case "failed":
      return (
        <>
          <Text>{id}</Text>
          <small>
            <Text>{of.why}</Text>
          </small>
        </>
      );
    case "loading":
      return <Text>{id}</Text>;
  }
}

import type { EndpointSettings } from "../api/answers-endpoints.ts";
import type { Breaker } from "../endpoints/breakers.ts";
import { HealthLine } from "../endpoints/health-line.tsx";
import {
  HEALTH_WINDOW,
  type EndpointHealth,
  useBreakers,
  useHealth,
} from "../endpoints/use-health.ts";
import card from "../parts/card.module.css";
import { Facts, type Fact } from "../parts/facts.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { counted, shownDuration, shownShare } from "../shown/amounts.ts";
import { waitingSentence } from "../shown/endpoint-sentences.ts";
import { timeOf } from "../shown/query-rows.ts";
import styles from "./endpoint.module.css";
import { useWaiting, type Waiting } from "./use-waiting.ts";

/** How an endpoint does: its attempts, its breaker, and what waits for it. */
export function Standing({
  endpoint,
}: {
  readonly endpoint: EndpointSettings;
}) {
  const { id } = endpoint;
  const health = useHealth([id]);
  const breakers = useBreakers([endpoint], health);
  const waiting = useWaiting(endpoint);
  const lately = health.attempts?.get(id);
  const why = health.error ?? waiting.error;
  const facts: readonly Fact[] = [
    [
      `Last ${HEALTH_WINDOW.words}`,
      health.attempts === undefined ? (
        "–"
      ) : lately === undefined ? (
        "no attempts"
      ) : (
        <AttemptsFact key="attempts" of={lately} />
      ),
    ],
    ["Circuit breaker", <BreakerFact key="breaker" of={breakers(id)} />],
    ["What waits", <WaitingFact key="waiting" of={waiting.data} />],
  ];
  return (
    <section className={card.card} aria-labelledby="standing">
      <h2 id="standing">How it does</h2>
      {why !== null && (
        <p role="status" className={styles.quiet}>
          It cannot be shown: <Text>{why.message}</Text>
        </p>
      )}
      <Facts facts={facts} />
    </section>
  );
}

function AttemptsFact({ of }: { readonly of: EndpointHealth }) {
  return (
    <>
      {shownShare(of.delivered, of.attempts)} of{" "}
      {counted(of.attempts, "attempt")} succeeded
      <HealthLine of={of} />
    </>
  );
}

function WaitingFact({ of }: { readonly of: readonly Waiting[] | undefined }) {
  if (of === undefined) return <>–</>;
  if (of.length === 0) return <>nothing</>;
  return (
    <ul>
      {of.map(({ reason, waiting, oldest_at }) => (
        <li key={reason}>
          {waitingSentence(reason, waiting)}
          <small>
            the oldest came <Time at={timeOf(oldest_at)} />
          </small>
        </li>
      ))}
    </ul>
  );
}

/** As far as deliveries show it: a breaker is seen where it puts one off, and closes for us with the next that succeeds. */
function BreakerFact({ of }: { readonly of: Breaker | null | undefined }) {
  if (of === undefined) return <>–</>;
  if (of === null) return <>closed, and not open in the last day</>;
  const { times_open, still_open, open_s, deliveries_put_off } = of;
  return (
    <>
      {still_open > 0 ? (
        <>
          <strong>open</strong> since <Time at={timeOf(of.last_opened_at)} />
        </>
      ) : (
        "closed"
      )}
      <small>
        In the last day open {counted(times_open, "time")},{" "}
        {shownDuration(open_s * 1_000)} in all;{" "}
        {counted(deliveries_put_off, "delivery", "deliveries")} put off
      </small>
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import type { Explanation } from "../api/answers-event.ts";
import list from "../parts/list.module.css";
import { Failure, Loading, Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Payload } from "../payload/payload.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { othersOf, verdictSentence } from "../shown/event-sentences.ts";
import { AskForTenant } from "./ask-for-tenant.tsx";
import { EventFacts } from "./event-facts.tsx";
import { EventDeliveries } from "./event-deliveries.tsx";
import styles from "./event.module.css";
import { NextSteps } from "./next-steps.tsx";
import { OthersList } from "./others-list.tsx";

const route = getRouteApi("/events/$id");

/** What is under way changes by itself. */
const UNDER_WAY_EVERY_MS = 5_000;

/** One event: who got it, who did not and why, and what to do about it. */
export function EventPage() {
  const { id } = route.useParams();
  const { tenantId } = route.useSearch();
  usePageTitle(`Event ${id}`);
  const { ask } = useSession();
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    queryKey: ["event", id, tenantId],
    queryFn: ({ signal }) =>
      ask<Explanation>(`v1/events/${encodeURIComponent(id)}/explain`, {
        query: { tenantId },
        signal,
      }),
    refetchInterval: ({ state }) =>
      state.data !== undefined && isUnderWay(state.data)
        ? UNDER_WAY_EVERY_MS
        : false,
  });
  return (
    <>
      <p className={styles.back}>
        <Link to="/deliveries">All deliveries</Link>
      </p>
      {error !== null && (
        <Failure
          error={error}
          onRetry={() => void refetch()}
          readAt={dataUpdatedAt}
        />
      )}
      {error instanceof ApiProblem && error.status === 409 && (
        <AskForTenant why={error.errors.map(({ message }) => message)} />
      )}
      {data === undefined && error === null && <Loading what="the event" />}
      {data !== undefined && <Shown event={data} />}
    </>
  );
}

function isUnderWay({ sent, verdict }: Explanation): boolean {
  return sent.waiting > 0 || verdict === "under_way";
}

function Shown({ event }: { readonly event: Explanation }) {
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, "no-search-field");
  const { deliveries, sent, tenantId } = event;
  const others = othersOf(event);
  const more = sent.deliveries - deliveries.length;
  return (
    <>
      <header className={styles.head}>
        <h1>
          <Text>{event.type === "" ? event.id : event.type}</Text>
        </h1>
        <p className={styles.verdict}>
          <Text>{verdictSentence(event)}</Text>
        </p>
      </header>
      <div className={styles.columns}>
        <div className={styles.main}>
          <section aria-labelledby="deliveries">
            <h2 id="deliveries">Deliveries</h2>
            <div className={list.list}>
              {deliveries.length === 0 ? (
                <Nothing title="No delivery of it is recorded" />
              ) : (
                <EventDeliveries ref={table} deliveries={deliveries} />
              )}
            </div>
            {more > 0 && (
              <p className={styles.after}>
                {more} more are not shown here:{" "}
                <Link
                  to="/deliveries"
                  search={{
                    eventId: event.id,
                    ...(tenantId !== null && { tenantId }),
                  }}
                >
                  all of its deliveries
                </Link>
              </p>
            )}
          </section>
          {others.length > 0 && <OthersList others={others} />}
          {event.next.length > 0 && <NextSteps event={event} />}
        </div>
        <div className={styles.side}>
          <EventFacts event={event} />
          <Payload eventId={event.id} tenantId={tenantId ?? undefined} />
        </div>
      </div>
    </>
  );
}

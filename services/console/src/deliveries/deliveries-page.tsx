import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef } from "react";
import { eventSearch } from "../event/event-search.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import {
  countOf,
  namedDelivery,
  namedEvent,
  withFilters,
  type DeliverySearch,
} from "./delivery-filters.ts";
import deliveries from "./deliveries.module.css";
import { DeliveryTable } from "./delivery-table.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { ListHead } from "./list-head.tsx";
import styles from "./live.module.css";
import { useDeliveries } from "./use-deliveries.ts";

const route = getRouteApi("/deliveries");

/** The list of deliveries. All that is asked for is in the URL. */
export function DeliveriesPage() {
  usePageTitle("Deliveries");
  const { caller } = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  const section = useRef<HTMLElement>(null);
  const { found, isLive, isRunning, goOn } = useDeliveries(search, section);
  useRowKeys(table, "search-text");

  function show(changed: DeliverySearch): void {
    const id = namedDelivery(changed.text ?? "");
    const eventId = namedEvent(changed.text ?? "");
    if (id !== null)
      void navigate({ to: "/deliveries/$id", params: { id }, search: {} });
    else if (eventId !== null)
      void navigate({
        to: "/events/$id",
        params: { id: eventId },
        search: eventSearch(changed),
      });
    else void navigate({ search: (now) => withFilters(now, changed) });
  }

  const { cursor, live: _, ...filters } = search;
  const { data, isFetching, refetch } = found;
  return (
    <>
      <ListHead
        isLive={isLive}
        isRunning={isRunning}
        isFetching={isFetching}
        onLive={(on) =>
          void navigate({ search: on ? { ...filters, live: "1" } : filters })
        }
        onGoOn={goOn}
        onRefresh={() => void refetch()}
      >
        <FilterBar
          search={search}
          isOfAllTenants={caller.tenantId === null}
          onChange={show}
        />
      </ListHead>
      {search.eventId !== undefined && (
        <p className={deliveries.event_link}>
          <Link
            to="/events/$id"
            params={{ id: search.eventId }}
            search={eventSearch(search)}
          >
            The event <Text>{search.eventId}</Text>
          </Link>
          : who got it, who did not, and why
        </p>
      )}
      <ListFrame
        ref={section}
        label="Deliveries"
        className={`${styles.list} ${isRunning && styles.running}`}
        found={found}
        isBusy={isFetching && !isRunning}
        hasRows={(page) => page.deliveries.length > 0}
        nothing={({ nextCursor }) => (
          <NoDeliveries search={search} hasMore={nextCursor !== null} />
        )}
      >
        {(page) => (
          <DeliveryTable
            ref={table}
            deliveries={page.deliveries}
            isOfAllTenants={caller.tenantId === null}
          />
        )}
      </ListFrame>
      <ListPages
        isFirst={cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        onGo={(next) =>
          void navigate({
            search: next === undefined ? filters : { ...filters, cursor: next },
          })
        }
      />
    </>
  );
}

/** A page may be empty and have a next one: then there was nothing in the time that was looked at. */
function NoDeliveries({
  search,
  hasMore,
}: {
  readonly search: DeliverySearch;
  readonly hasMore: boolean;
}) {
  if (hasMore)
    return (
      <Nothing title="Nothing found so far">
        <p>There is older time to look at: go on with Older.</p>
      </Nothing>
    );
  if (search.cursor !== undefined) return <Nothing title="No older ones" />;
  if (countOf(search) > 0)
    return (
      <Nothing title="No delivery matches">
        <p>Remove a filter. What was just published takes about a second.</p>
      </Nothing>
    );
  return (
    <Nothing title="No deliveries yet">
      <p>Register an endpoint and publish an event that it wants:</p>
      <code>
        npx postrider endpoints create --tenant acme --url
        https://example.com/hooks
      </code>
      <code>
        npx postrider publish --tenant acme --type order.paid --payload
        {` '{"orderId":1001}'`}
      </code>
    </Nothing>
  );
}

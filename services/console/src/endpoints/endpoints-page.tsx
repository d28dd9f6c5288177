import { Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { EndpointPage } from "../api/answers-endpoints.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import list from "../parts/list.module.css";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { EndpointFilterBar } from "./endpoint-filter-bar.tsx";
import {
  countOf,
  namedEndpoint,
  queryOf,
  withFilters,
  type EndpointSearch,
} from "./endpoint-filters.ts";
import { EndpointTable } from "./endpoint-table.tsx";
import styles from "./endpoints.module.css";
import { useBreakers, useHealth } from "./use-health.ts";

const route = getRouteApi("/endpoints");

/** The list of endpoints. All that is asked for is in the URL. */
export function EndpointsPage() {
  usePageTitle("Endpoints");
  const { ask, caller } = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  const found = useQuery({
    queryKey: ["endpoints", search],
    queryFn: ({ signal }) =>
      ask<EndpointPage>("v1/endpoints", { query: queryOf(search), signal }),
    placeholderData: keepPreviousData,
  });
  const health = useHealth(found.data?.endpoints.map(({ id }) => id) ?? []);
  const breakers = useBreakers(found.data?.endpoints ?? [], health);
  useRowKeys(table, "search-text");

  function show(changed: EndpointSearch): void {
    const id = namedEndpoint(changed.text ?? "");
    if (id !== null) void navigate({ to: "/endpoints/$id", params: { id } });
    else void navigate({ search: (now) => withFilters(now, changed) });
  }

  const { cursor, ...filters } = search;
  const { data, isFetching, refetch } = found;
  return (
    <>
      <div className={list.head}>
        <h1>Endpoints</h1>
        <div className={styles.buttons}>
          <Button
            variant="default"
            size="xs"
            loading={isFetching}
            onClick={() => void refetch()}
          >
            Refresh
          </Button>
          {caller.role === "admin" && (
            <Button
              size="xs"
              onClick={() => void navigate({ to: "/endpoints/new" })}
            >
              New endpoint
            </Button>
          )}
        </div>
      </div>
      <EndpointFilterBar
        search={search}
        isOfAllTenants={caller.tenantId === null}
        onChange={show}
      />
      {health.error !== null && (
        <p className={styles.note} role="status">
          How they do cannot be shown: <Text>{health.error.message}</Text>
        </p>
      )}
      <ListFrame
        label="Endpoints"
        found={found}
        hasRows={({ endpoints }) => endpoints.length > 0}
        nothing={() => (
          <NoEndpoints search={search} canMake={caller.role === "admin"} />
        )}
      >
        {({ endpoints }) => (
          <EndpointTable
            ref={table}
            endpoints={endpoints}
            isOfAllTenants={caller.tenantId === null}
            health={health}
            breakers={breakers}
          />
        )}
      </ListFrame>
      <ListPages
        isFirst={cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        names={["First", "Next"]}
        onGo={(next) =>
          void navigate({
            search: next === undefined ? filters : { ...filters, cursor: next },
          })
        }
      />
    </>
  );
}

function NoEndpoints({
  search,
  canMake,
}: {
  readonly search: EndpointSearch;
  readonly canMake: boolean;
}) {
  if (search.cursor !== undefined) return <Nothing title="No more of them" />;
  if (countOf(search) > 0)
    return (
      <Nothing title="No endpoint matches">
        <p>Remove a filter, or look for a shorter part of the URL.</p>
      </Nothing>
    );
  return (
    <Nothing title="No endpoints yet">
      {canMake ? (
        <p>
          <Link to="/endpoints/new">Make the first one</Link>, or by hand:
        </p>
      ) : (
        <p>An administrator makes one:</p>
      )}
      <code>
        npx postrider endpoints create --tenant acme --url
        https://example.com/hooks
      </code>
    </Nothing>
  );
}

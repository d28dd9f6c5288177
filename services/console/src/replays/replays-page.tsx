import { Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import type { ReplayPage as Page } from "../api/answers-replays.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import list from "../parts/list.module.css";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { ReplayFilterBar } from "./replay-filter-bar.tsx";
import {
  hasFilters,
  replaySearch,
  replaysQuery,
  withoutCursor,
} from "./replay-filters.ts";
import { ReplayTable } from "./replay-table.tsx";
import styles from "./replays.module.css";

const route = getRouteApi("/replays");
const EVERY_MS = 2_000;

/** The list of replays. It is asked again while one of them is running. */
export function ReplaysPage() {
  usePageTitle("Replays");
  const { ask, caller } = useSession();
  const search = route.useSearch();
  const go = route.useNavigate();
  const navigate = useNavigate();
  const table = useRef<HTMLTableElement>(null);
  const found = useQuery({
    queryKey: ["replays", search],
    queryFn: ({ signal }) =>
      ask<Page>("v1/replays", { query: replaysQuery(search), signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.replays.some((each) => each.state === "running") === true
        ? EVERY_MS
        : false,
  });
  useRowKeys(table, "replays-key");
  const { data, isLoading, isPlaceholderData, refetch } = found;
  return (
    <>
      <div className={list.head}>
        <h1>Replays</h1>
        <div className={styles.actions}>
          <Button
            variant="default"
            size="xs"
            loading={isLoading || isPlaceholderData}
            onClick={() => void refetch()}
          >
            Refresh
          </Button>
          {caller.role === "admin" && (
            <Button
              size="xs"
              onClick={() => void navigate({ to: "/replays/new" })}
            >
              New replay…
            </Button>
          )}
        </div>
      </div>
      <ReplayFilterBar
        search={search}
        isOfAllTenants={caller.tenantId === null}
        onChange={(asked) => void go({ search: replaySearch({ ...asked }) })}
      />
      <ListFrame
        label="Replays"
        found={found}
        hasRows={({ replays }) => replays.length > 0}
        nothing={() => <NoReplays isFiltered={hasFilters(search)} />}
      >
        {({ replays }) => <ReplayTable ref={table} replays={replays} />}
      </ListFrame>
      <ListPages
        isFirst={search.cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        onGo={(next) =>
          void go({
            search: {
              ...withoutCursor(search),
              ...(next !== undefined && { cursor: next }),
            },
          })
        }
      />
    </>
  );
}

function NoReplays({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Nothing title="No replay matches">
        <p>Remove a filter. A replay is kept for 30 days after its end.</p>
      </Nothing>
    );
  return (
    <Nothing title="No replays yet">
      <p>
        A replay sends past deliveries again. Choose some under Dead letters, or
        make one of what a filter selects:
      </p>
      <code>npx postrider dead-letters redrive --reason exhausted</code>
    </Nothing>
  );
}

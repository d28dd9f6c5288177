import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import type { AuditPage } from "../api/answers-system.ts";
import { keepingTexts } from "../api/json-texts.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import { Nothing } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { AuditFilters, FIRST_FIELD } from "./audit-filters.tsx";
import { AuditTable } from "./audit-table.tsx";
import {
  isFiltered,
  withParameters,
  type SystemSearch,
} from "./system-search.ts";
import styles from "./system.module.css";

const route = getRouteApi("/system");

const PAGE_ROWS = "50";
const parse = keepingTexts("entries", ["detail"]);

/** Who changed what, and why, newest first. */
export function AuditTab() {
  const { ask, caller } = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, FIRST_FIELD);
  const { tab: _, open, cursor, ...filters } = search;
  const found = useQuery({
    queryKey: ["audit", filters, cursor],
    queryFn: ({ signal }) =>
      ask<AuditPage>("v1/audit", {
        query: { ...filters, cursor, limit: PAGE_ROWS },
        signal,
        parse,
      }),
    placeholderData: keepPreviousData,
  });
  const { data } = found;
  return (
    <div className={styles.section}>
      <AuditFilters
        search={search}
        isOfAllTenants={caller.tenantId === null}
        onChange={(changed) =>
          void navigate({ search: (now) => withParameters(now, changed) })
        }
      />
      <ListFrame
        label="Audit log"
        what="the audit log"
        found={found}
        hasRows={({ entries }) => entries.length > 0}
        nothing={({ nextCursor }) => (
          <NoEntries search={search} hasMore={nextCursor !== null} />
        )}
      >
        {({ entries }) => (
          <AuditTable
            ref={table}
            entries={entries}
            open={open}
            isOfAllTenants={caller.tenantId === null}
          />
        )}
      </ListFrame>
      <ListPages
        isFirst={cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        onGo={(next) =>
          void navigate({
            search: (now) => withParameters(now, { cursor: next }),
          })
        }
      />
    </div>
  );
}

/** A page may be empty and have a next one: then there was nothing in the time that was looked at. */
function NoEntries({
  search,
  hasMore,
}: {
  readonly search: SystemSearch;
  readonly hasMore: boolean;
}) {
  if (hasMore)
    return (
      <Nothing title="Nothing found so far">
        <p>There is older time to look at: go on with Older.</p>
      </Nothing>
    );
  if (search.cursor !== undefined) return <Nothing title="No older ones" />;
  if (isFiltered(search))
    return (
      <Nothing title="No entry matches">
        <p>
          Remove a filter. What was just changed takes about a second, and
          entries are kept for 30 days.
        </p>
      </Nothing>
    );
  return (
    <Nothing title="Nothing was changed in the last 30 days">
      <p>
        Each change of an endpoint, a key, a replay or an event type comes here,
        about a second later.
      </p>
    </Nothing>
  );
}

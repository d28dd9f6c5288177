import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import type { EventTypePage } from "../api/answers-system.ts";
import { keepingTexts } from "../api/json-texts.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import { Nothing } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { EventTypeTable } from "./event-type-table.tsx";
import { Policies } from "./policies.tsx";
import { withParameters } from "./system-search.ts";
import styles from "./system.module.css";
import { TENANT_FIELD, TenantFilter } from "./tenant-filter.tsx";

const route = getRouteApi("/system");

const PAGE_ROWS = "50";
const parse = keepingTexts("eventTypes", ["schema", "example"]);

/** The catalogue, to read. */
export function EventTypesTab() {
  const { ask, caller } = useSession();
  const { tenantId, cursor, open } = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, TENANT_FIELD);
  const found = useQuery({
    queryKey: ["event-types", tenantId, cursor],
    queryFn: ({ signal }) =>
      ask<EventTypePage>("v1/event-types", {
        query: { tenantId, cursor, limit: PAGE_ROWS },
        signal,
        parse,
      }),
    placeholderData: keepPreviousData,
  });
  const { data } = found;
  return (
    <div className={styles.section}>
      {caller.tenantId === null && <TenantFilter />}
      <ListFrame
        label="Event types"
        found={found}
        hasRows={({ eventTypes }) => eventTypes.length > 0}
        nothing={() => (
          <Nothing
            title={
              tenantId === undefined
                ? "No event types yet"
                : "No event types of this tenant"
            }
          >
            <p>
              Events need none. Types describe them to people, and hold
              publishers to a schema where a tenant&apos;s policy says so:
            </p>
            <code>npx postrider event-types apply -f event-types.yaml</code>
          </Nothing>
        )}
      >
        {({ eventTypes }) => (
          <EventTypeTable ref={table} types={eventTypes} open={open} />
        )}
      </ListFrame>
      <ListPages
        names={["Oldest", "Newer"]}
        isFirst={cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        onGo={(next) =>
          void navigate({
            search: (now) => withParameters(now, { cursor: next }),
          })
        }
      />
      <Policies tenantId={tenantId} />
    </div>
  );
}

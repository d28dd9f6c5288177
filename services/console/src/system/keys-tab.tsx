import { Button } from "@mantine/core";
import {
  keepPreviousData,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { ApiKeyPage } from "../api/answers-system.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import list from "../parts/list.module.css";
import { Nothing } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { KeyTable } from "./key-table.tsx";
import { NewKeyDialog } from "./new-key-dialog.tsx";
import { withParameters } from "./system-search.ts";
import styles from "./system.module.css";
import { TENANT_FIELD, TenantFilter } from "./tenant-filter.tsx";

const PAGE_ROWS = "50";

/** Who may call the APIs. For administrators. */
export function KeysTab() {
  const { caller } = useSession();
  if (caller.role === "admin") return <Keys />;
  return (
    <div className={styles.section}>
      <div className={list.list}>
        <Nothing title="For administrators">
          <p>
            Keys are listed, made and revoked by administrators alone, and your
            key is a reader&apos;s. Ask one of them, or sign in with the key of
            an administrator.
          </p>
        </Nothing>
      </div>
    </div>
  );
}

const route = getRouteApi("/system");

function Keys() {
  const { ask, caller } = useSession();
  const client = useQueryClient();
  const { tenantId, cursor } = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table, TENANT_FIELD);
  const [isMaking, setIsMaking] = useState(false);
  const found = useQuery({
    queryKey: ["keys", tenantId, cursor],
    queryFn: ({ signal }) =>
      ask<ApiKeyPage>("v1/keys", {
        query: { tenantId, cursor, limit: PAGE_ROWS },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const { data } = found;
  const isOfAllTenants = caller.tenantId === null;
  const reload = (): void =>
    void client.invalidateQueries({ queryKey: ["keys"] });
  return (
    <div className={styles.section}>
      <div className={styles.bar}>
        {isOfAllTenants && <TenantFilter />}
        <Button className={styles.end} onClick={() => setIsMaking(true)}>
          New key…
        </Button>
      </div>
      {isMaking && (
        <NewKeyDialog
          onMade={() => {
            setIsMaking(false);
            reload();
          }}
          onClose={() => {
            setIsMaking(false);
            reload(); // what was answered as uncertain may be there
          }}
        />
      )}
      <ListFrame
        label="API keys"
        what="keys"
        found={found}
        hasRows={({ keys }) => keys.length > 0}
        nothing={() => <NoKeys isOfTenant={tenantId !== undefined} />}
      >
        {({ keys }) => (
          <KeyTable
            ref={table}
            keys={keys}
            isOfAllTenants={isOfAllTenants}
            onRevoked={reload}
          />
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
    </div>
  );
}

function NoKeys({ isOfTenant }: { readonly isOfTenant: boolean }) {
  return isOfTenant ? (
    <Nothing title="No key of this tenant">
      <p>Keys of no tenant may do the same for every tenant.</p>
    </Nothing>
  ) : (
    <Nothing title="No keys yet">
      <p>
        There is only the key of <code>POSTRIDER_ADMIN_KEY</code>, which is not
        listed. Make one for each program and each person with New key.
      </p>
    </Nothing>
  );
}

import { Button, TextInput } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { withParameters } from "./system-search.ts";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** The id of the field, to which `/` leads. */
export const TENANT_FIELD = "system-tenant";

/** What is asked for of one tenant. Not for a tenant's key. */
export function TenantFilter() {
  const { tenantId = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(tenantId);
  useEffect(() => setDraft(tenantId), [tenantId]); // the URL may change by the browser's own buttons
  return (
    <form
      className={styles.tenant}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({
          search: (now) => withParameters(now, { tenantId: draft }),
        });
      }}
    >
      <TextInput
        id={TENANT_FIELD}
        aria-label="Tenant"
        placeholder="Tenant"
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
      />
      <Button type="submit" variant="default">
        Filter
      </Button>
    </form>
  );
}

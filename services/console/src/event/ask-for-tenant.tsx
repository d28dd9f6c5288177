import { Button, TextInput } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { Text } from "../parts/text.tsx";
import styles from "./event.module.css";

const route = getRouteApi("/events/$id");

/** Several tenants have an event of this id. */
export function AskForTenant({ why }: { readonly why: readonly string[] }) {
  const navigate = route.useNavigate();
  const [tenantId, setTenantId] = useState("");
  return (
    <form
      className={styles.ask}
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ search: { tenantId: tenantId.trim() } });
      }}
    >
      <TextInput
        label="Tenant"
        description={<Text>{why.join("; ")}</Text>}
        required
        withAsterisk={false}
        value={tenantId}
        onChange={(event) => setTenantId(event.currentTarget.value)}
      />
      <Button type="submit">Show its event</Button>
    </form>
  );
}

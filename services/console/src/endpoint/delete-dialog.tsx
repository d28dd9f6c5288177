import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { forgetEndpoint } from "./forget-endpoint.ts";
import { GivenUp } from "./state-dialog.tsx";
import { endpointPath, useRefreshed } from "./use-endpoint-settings.ts";

/** Nothing brings an endpoint back, so its host has to be typed. */
export function DeleteDialog({
  endpoint,
  onClose,
}: {
  readonly endpoint: EndpointSettings;
  readonly onClose: () => void;
}) {
  const { ask } = useSession();
  const client = useQueryClient();
  const refreshed = useRefreshed(endpoint.id);
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const { host } = new URL(endpoint.url);
  return (
    <ChangeDialog
      title="Delete this endpoint"
      confirm="Delete"
      isDanger
      canConfirm={typed.trim() === host}
      change={(why) =>
        refreshed(
          ask<undefined>(`v1/${endpointPath(endpoint.id)}`, {
            method: "DELETE",
            ifMatch: endpoint.version,
            why,
          }),
        )
      }
      onDone={() =>
        void forgetEndpoint(client, endpoint.id, navigate({ to: "/endpoints" }))
      }
      onClose={onClose}
    >
      <p>
        <Text>{endpoint.url}</Text> and its secrets are gone for good. Its past
        deliveries stay to be looked at.
      </p>
      <GivenUp endpoint={endpoint} />
      <TextInput
        label={
          <>
            Type <Text>{host}</Text> to confirm
          </>
        }
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </ChangeDialog>
  );
}

import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import type {
  EndpointSettings,
  EndpointWithSecret,
} from "../api/answers-endpoints.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { useMaking } from "../parts/shown-once.tsx";
import { useSession } from "../session/session-context.ts";
import { secretOf } from "./secret-of.tsx";
import {
  endpointPath,
  useChanged,
  useRefreshed,
} from "./use-endpoint-settings.ts";

const HOUR_MS = 3_600_000;
const OVERLAPS = [
  { value: String(24 * HOUR_MS), label: "for a day" },
  { value: String(HOUR_MS), label: "for an hour" },
  { value: String(7 * 24 * HOUR_MS), label: "for a week" },
  { value: String(30 * 24 * HOUR_MS), label: "for 30 days" },
  { value: "0", label: "no more: they end at once" },
];

/** Makes a new secret; the older ones sign beside it until their receiver has it. */
export function RotateDialog({
  endpoint,
  onClose,
}: {
  readonly endpoint: EndpointSettings;
  readonly onClose: () => void;
}) {
  const { ask } = useSession();
  const making = useMaking("secret");
  const changed = useChanged();
  const refreshed = useRefreshed(endpoint.id);
  const [overlapMs, setOverlapMs] = useState(OVERLAPS[0]?.value);
  return (
    <ChangeDialog
      title="Rotate the secret"
      confirm="Make a new secret"
      change={(why) =>
        making(
          refreshed(
            ask<EndpointWithSecret>(
              `v1/${endpointPath(endpoint.id)}/rotate-secret`,
              {
                body: { overlapMs: Number(overlapMs) },
                ifMatch: endpoint.version,
                why,
              },
            ),
          ),
          secretOf,
        )
      }
      onDone={(answer) => {
        changed(answer);
        onClose();
      }}
      onClose={onClose}
    >
      <p>
        The new secret is shown once. Until the older ones end, requests carry
        the signatures of both, so the receiver can change without a gap.
      </p>
      <NativeSelect
        label="The older secrets sign"
        data={OVERLAPS}
        value={overlapMs}
        onChange={(event) => setOverlapMs(event.currentTarget.value)}
      />
    </ChangeDialog>
  );
}

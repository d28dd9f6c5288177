import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { useSession } from "../session/session-context.ts";
import { counted } from "../shown/amounts.ts";
import { endpointPath, useChanged } from "./use-endpoint-settings.ts";
import { countOfAll, useWaiting } from "./use-waiting.ts";

export type StateChange = "pause" | "resume" | "enable" | "disable";

const WORDS = {
  pause: {
    title: "Pause this endpoint",
    confirm: "Pause",
    what: "What comes for it is parked for up to 30 days, and a resume delivers it. Requests that are under way end as they end.",
  },
  resume: {
    title: "Resume this endpoint",
    confirm: "Resume",
    what: "It is enabled, and what is parked is sent.",
  },
  enable: {
    title: "Enable this endpoint",
    confirm: "Enable",
    what: "What it wants is delivered to it from now on. If it was paused before, what was parked then is sent. What was given up stays given up.",
  },
  disable: {
    title: "Disable this endpoint",
    confirm: "Disable",
    what: "Nothing is routed to it any more. To keep what comes for later, pause it instead.",
  },
} as const;

/** Asks before an endpoint gets another state, and says what that does. */
export function StateDialog({
  endpoint,
  change,
  onClose,
}: {
  readonly endpoint: EndpointSettings;
  readonly change: StateChange;
  readonly onClose: () => void;
}) {
  const { ask } = useSession();
  const changed = useChanged();
  const { title, confirm, what } = WORDS[change];
  const keepsReason = change === "pause" || change === "disable";
  return (
    <ChangeDialog
      title={title}
      confirm={confirm}
      isDanger={change === "disable"}
      change={(why) =>
        ask<EndpointSettings>(`v1/${endpointPath(endpoint.id)}/${change}`, {
          method: "POST",
          // Where the endpoint keeps its reason, the audit trail takes it from there.
          ...(keepsReason
            ? { body: why === "" ? {} : { reason: why } }
            : { why }),
        })
      }
      onDone={(answer) => {
        changed(answer);
        onClose();
      }}
      onClose={onClose}
    >
      <p>{what}</p>
      {change === "disable" && <GivenUp endpoint={endpoint} />}
    </ChangeDialog>
  );
}

/** What would be lost with the endpoint. */
export function GivenUp({ endpoint }: { readonly endpoint: EndpointSettings }) {
  const { data } = useWaiting(endpoint);
  if (data === undefined)
    return <p>What waits for it is given up, as a dead letter.</p>;
  const parked = countOfAll(data.filter(({ reason }) => reason === "paused"));
  const waiting = countOfAll(data) - parked;
  return (
    <p>
      <strong>
        {waiting === 0
          ? "Nothing waits for it now."
          : `${counted(waiting, "delivery", "deliveries")} that ${waiting === 1 ? "waits" : "wait"} for it now would be given up, as dead letters.`}
        {parked > 0 &&
          ` ${counted(parked, "delivery", "deliveries")} parked for it would stay parked.`}
      </strong>
    </p>
  );
}

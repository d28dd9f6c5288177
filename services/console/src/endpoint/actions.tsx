import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { useSession } from "../session/session-context.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import styles from "./endpoint.module.css";
import { Redriven, RedriveFailed } from "./redrive-failed.tsx";
import { RotateDialog } from "./rotate-dialog.tsx";
import { StateDialog, type StateChange } from "./state-dialog.tsx";
import { TestDialog } from "./test-dialog.tsx";

type Asked = StateChange | "test" | "redrive" | "rotate" | "delete";

/** What leads out of a state. */
const WAYS: Readonly<
  Record<string, readonly [change: StateChange, label: string]>
> = {
  enabled: ["pause", "Pause…"],
  paused: ["resume", "Resume…"],
  disabled: ["enable", "Enable…"],
};

/** What can be done with an endpoint. Each asks first. Nothing is shown to those who may not. */
export function Actions({ endpoint }: { readonly endpoint: EndpointSettings }) {
  const { caller } = useSession();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [replayId, setReplayId] = useState<string | null>(null);
  if (caller.role !== "admin") return null;

  const close = (): void => setAsked(null);
  const { id, state } = endpoint;
  const way = WAYS[state];
  const isEnabled = state === "enabled";
  const hint = isEnabled ? undefined : `The endpoint is ${state}.`;
  const button = (what: Asked, label: string) => (
    <Button variant="default" onClick={() => setAsked(what)}>
      {label}
    </Button>
  );
  return (
    <>
      <div className={styles.actions} role="group" aria-label="Actions">
        <Button
          onClick={() =>
            void navigate({ to: "/endpoints/$id/edit", params: { id } })
          }
        >
          Edit
        </Button>
        <Button
          variant="default"
          disabled={!isEnabled}
          title={hint}
          onClick={() => setAsked("test")}
        >
          Send a test…
        </Button>
        {way && button(...way)}
        <Button
          variant="default"
          disabled={!isEnabled}
          title={hint}
          onClick={() => setAsked("redrive")}
        >
          Redrive what failed…
        </Button>
        {button("rotate", "Rotate secret…")}
        {state !== "disabled" && button("disable", "Disable…")}
        {button("delete", "Delete…")}
      </div>
      {replayId !== null && <Redriven id={replayId} />}
      {(asked === "pause" ||
        asked === "resume" ||
        asked === "enable" ||
        asked === "disable") && (
        <StateDialog endpoint={endpoint} change={asked} onClose={close} />
      )}
      {asked === "test" && <TestDialog endpoint={endpoint} onClose={close} />}
      {asked === "redrive" && (
        <RedriveFailed
          endpoint={endpoint}
          onClose={close}
          onMade={(made) => {
            setReplayId(made.id);
            close();
          }}
        />
      )}
      {asked === "rotate" && (
        <RotateDialog endpoint={endpoint} onClose={close} />
      )}
      {asked === "delete" && (
        <DeleteDialog endpoint={endpoint} onClose={close} />
      )}
    </>
  );
}

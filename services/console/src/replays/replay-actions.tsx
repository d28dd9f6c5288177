import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Replay } from "../api/answers-replays.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Failure } from "../parts/notices.tsx";
import { isOver } from "../replay/use-replay.ts";
import { useSession } from "../session/session-context.ts";
import styles from "./replays.module.css";

type Action = "pause" | "resume" | "cancel";

/** Pause, resume and cancel. The last one asks first: a cancelled replay never goes on. */
export function ReplayActions({ replay }: { readonly replay: Replay }) {
  const { caller } = useSession();
  const [isAsking, setIsAsking] = useState(false);
  const steer = useSteering(replay.id);
  if (caller.role !== "admin" || isOver(replay)) return null;
  const other: Action = replay.state === "paused" ? "resume" : "pause";
  return (
    <div>
      <div className={styles.actions}>
        <Button
          variant="default"
          loading={steer.isPending && !isAsking}
          onClick={() => steer.mutate({ action: other, why: "" })}
        >
          {other === "pause" ? "Pause" : "Resume"}
        </Button>
        <Button
          variant="default"
          onClick={() => {
            steer.reset();
            setIsAsking(true);
          }}
        >
          Cancel…
        </Button>
      </div>
      {steer.error !== null && !isAsking && <Failure error={steer.error} />}
      {isAsking && (
        <CancelDialog
          replay={replay}
          steer={steer}
          onClose={() => setIsAsking(false)}
        />
      )}
    </div>
  );
}

function useSteering(id: string) {
  const { ask } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ action, why }: { action: Action; why: string }) =>
      ask<Replay>(`v1/replays/${encodeURIComponent(id)}/${action}`, {
        body: {},
        why,
      }),
    onSuccess: async (replay) => {
      // A question that is under way would bring the state before.
      await client.cancelQueries({ queryKey: ["replay", id] });
      client.setQueryData(["replay", id], replay);
    },
  });
}

function CancelDialog({
  replay,
  steer,
  onClose,
}: {
  readonly replay: Replay;
  readonly steer: ReturnType<typeof useSteering>;
  readonly onClose: () => void;
}) {
  const rest = replay.total - replay.done;
  return (
    <ChangeDialog
      title="Cancel this replay"
      confirm="Cancel the replay"
      dismiss="Keep it"
      change={(why) => steer.mutateAsync({ action: "cancel", why })}
      onDone={onClose}
      onClose={onClose}
    >
      <p>
        What it has sent stays sent. The{" "}
        {rest > 0 ? `${rest} that are` : "rest"} left are not sent, and it never
        goes on: a new replay leaves out what this one has sent.
      </p>
    </ChangeDialog>
  );
}

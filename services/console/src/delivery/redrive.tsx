import { Button } from "@mantine/core";
import { useState } from "react";
import type { Delivery } from "../api/answers.ts";
import { RedriveDialog } from "../replay/redrive-dialog.tsx";
import { useSession } from "../session/session-context.ts";
import styles from "./delivery.module.css";
import { RedriveProgress } from "./redrive-progress.tsx";

/** Sends a settled delivery again. Nothing is shown to those who may not, and where it is still under way. */
export function Redrive({ delivery }: { readonly delivery: Delivery }) {
  const { caller } = useSession();
  const [isAsking, setIsAsking] = useState(false);
  const [replayId, setReplayId] = useState<string | null>(null);
  const isSettled =
    delivery.status === "delivered" || delivery.status === "expired";
  return (
    <div className={styles.redrive}>
      {caller.role === "admin" && isSettled && (
        <Button
          variant={delivery.status === "expired" ? "filled" : "default"}
          onClick={() => setIsAsking(true)}
        >
          Redrive…
        </Button>
      )}
      {replayId !== null && <RedriveProgress id={replayId} />}
      {isAsking && (
        <RedriveDialog
          title="Send this delivery again"
          selection={{
            deliveryIds: [delivery.id],
            // Of one that was given up, the preview then says where its endpoint has got the event meanwhile.
            statuses: [delivery.status],
          }}
          onClose={() => setIsAsking(false)}
          onMade={(replay) => {
            setReplayId(replay.id);
            setIsAsking(false);
          }}
        />
      )}
    </div>
  );
}

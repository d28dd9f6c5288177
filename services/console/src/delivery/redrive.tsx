import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { Delivery, Replay, ReplayPreview } from "../api/answers.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { leftOutSentence } from "../shown/sentences.ts";
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
        <Button onClick={() => setIsAsking(true)}>Redrive…</Button>
      )}
      {replayId !== null && <RedriveProgress id={replayId} />}
      {isAsking && (
        <RedriveDialog
          delivery={delivery}
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

/** What would be sent, and why it is; then it is. */
function RedriveDialog({
  delivery,
  onClose,
  onMade,
}: {
  readonly delivery: Delivery;
  readonly onClose: () => void;
  readonly onMade: (replay: Replay) => void;
}) {
  const { ask } = useSession();
  const [why, setWhy] = useState("");
  const selection = {
    deliveryIds: [delivery.id],
    statuses: ["expired", "delivered"],
  };
  // The second click of two may come before the button is shown as disabled.
  const isSent = useRef(false);
  const preview = useQuery({
    queryKey: ["redrive", delivery.id],
    queryFn: ({ signal }) =>
      ask<ReplayPreview>("v1/replays/preview", { body: selection, signal }),
    staleTime: 0,
    gcTime: 0,
  });
  const redrive = useMutation({
    mutationFn: ({ selectedAt }: ReplayPreview) =>
      ask<Replay>("v1/replays", { body: { ...selection, selectedAt }, why }),
    onSuccess: onMade,
    onError: () => void (isSent.current = false),
  });
  const { data } = preview;
  return (
    <Dialog title="Send this delivery again" onClose={onClose}>
      {preview.error !== null && <Failure error={preview.error} />}
      {data === undefined && preview.error === null && (
        <Loading what="what would be sent" />
      )}
      {data !== undefined && <Preview preview={data} />}
      {redrive.error !== null && <Failure error={redrive.error} />}
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (data === undefined || isSent.current) return;
          isSent.current = true;
          redrive.mutate(data);
        }}
      >
        <TextInput
          label="Why (kept in the audit trail)"
          maxLength={500}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
        />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={redrive.isPending}
            disabled={data === undefined || data.toSend === 0}
          >
            Send again
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Preview({ preview }: { readonly preview: ReplayPreview }) {
  if (preview.toSend > 0)
    return (
      <p>
        The event is sent to the endpoint once more, as a new delivery with the
        same webhook-id: a receiver that knows it takes it for a repeat.
      </p>
    );
  return (
    <div role="alert">
      <p>It cannot be sent again:</p>
      <ul>
        {Object.keys(preview.leftOut).map((reason) => (
          <li key={reason}>{leftOutSentence(reason)}</li>
        ))}
      </ul>
    </div>
  );
}

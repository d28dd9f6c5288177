import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";
import type {
  AskedSelection,
  Replay,
  ReplayPreview,
} from "../api/answers-replays.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { Preview } from "./preview.tsx";
import styles from "./replay.module.css";

/** What would be sent again, and why it is; then it is. */
export function RedriveDialog({
  title,
  selection,
  onClose,
  onMade,
  children,
}: {
  readonly title: string;
  readonly selection: AskedSelection;
  readonly onClose: () => void;
  readonly onMade: (replay: Replay) => void;
  /** Above what would be sent: what changes the selection. */
  readonly children?: ReactNode;
}) {
  const { ask } = useSession();
  const [why, setWhy] = useState("");
  // The second click of two may come before the button is shown as disabled.
  const isSent = useRef(false);
  const preview = useQuery({
    queryKey: ["replay-preview", selection],
    queryFn: ({ signal }) =>
      ask<ReplayPreview>("v1/replays/preview", { body: selection, signal }),
    staleTime: 0,
    gcTime: 0,
    // What was shown is what is sent: `selectedAt` is part of it.
    refetchOnWindowFocus: false,
  });
  const redrive = useMutation({
    mutationFn: ({ selectedAt }: ReplayPreview) =>
      ask<Replay>("v1/replays", { body: { ...selection, selectedAt }, why }),
    onSuccess: onMade,
    onError: () => void (isSent.current = false),
  });
  const { data } = preview;
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
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

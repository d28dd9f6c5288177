import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type {
  AskedSelection,
  Replay,
  ReplayPreview,
} from "../api/answers-replays.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Failure, Loading } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { Preview } from "./preview.tsx";

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
  const { data, error } = useQuery({
    queryKey: ["replay-preview", selection],
    queryFn: ({ signal }) =>
      ask<ReplayPreview>("v1/replays/preview", { body: selection, signal }),
    staleTime: 0,
    gcTime: 0,
    // What was shown is what is sent: `selectedAt` is part of it.
    refetchOnWindowFocus: false,
  });
  const selectedAt = data?.selectedAt;
  return (
    <ChangeDialog
      title={title}
      confirm="Send again"
      canConfirm={data !== undefined && data.toSend > 0}
      change={(why) =>
        ask<Replay>("v1/replays", { body: { ...selection, selectedAt }, why })
      }
      onDone={onMade}
      onClose={onClose}
    >
      {children}
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && (
        <Loading what="what would be sent" />
      )}
      {data !== undefined && <Preview preview={data} />}
    </ChangeDialog>
  );
}

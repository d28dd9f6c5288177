import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { AskedSelection } from "../api/answers-replays.ts";
import { RedriveDialog } from "../replay/redrive-dialog.tsx";
import styles from "./letters.module.css";

/** What is chosen, and what can be done with it. */
export function ChoiceBar({
  words,
  selection,
  whyNot,
  onClear,
}: {
  readonly words: string;
  /** Null: there is nothing that can be sent. */
  readonly selection: AskedSelection | null;
  readonly whyNot: string | null;
  /** Undefined: nothing is chosen. */
  readonly onClear: (() => void) | undefined;
}) {
  const navigate = useNavigate();
  const [isAsking, setIsAsking] = useState(false);
  return (
    <div className={styles.bar}>
      <p role="status">{whyNot === null ? words : `${words} ${whyNot}`}</p>
      {onClear !== undefined && (
        <Button variant="subtle" size="xs" onClick={onClear}>
          Choose none
        </Button>
      )}
      <Button
        size="xs"
        disabled={selection === null}
        onClick={() => setIsAsking(true)}
      >
        Redrive…
      </Button>
      {isAsking && selection !== null && (
        <RedriveDialog
          title="Send dead letters again"
          selection={selection}
          onClose={() => setIsAsking(false)}
          onMade={({ id }) =>
            void navigate({ to: "/replays/$id", params: { id } })
          }
        />
      )}
    </div>
  );
}

import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";
import styles from "./dialog.module.css";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./notices.tsx";

/** Asks before something is changed: what would happen, and why it is wanted. Then it is done, once. */
export function ChangeDialog<T>({
  title,
  confirm,
  dismiss = "Cancel",
  isDanger = false,
  canConfirm = true,
  change,
  onDone,
  onClose,
  children,
}: {
  readonly title: string;
  /** What the button says. */
  readonly confirm: string;
  /** What the other one says. */
  readonly dismiss?: string;
  /** Something is lost by it. */
  readonly isDanger?: boolean;
  readonly canConfirm?: boolean;
  readonly change: (why: string) => Promise<T>;
  readonly onDone: (result: T) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const [why, setWhy] = useState("");
  // The second click of two may come before the button is shown as disabled.
  const isSent = useRef(false);
  const { mutate, error, isPending } = useMutation({
    mutationFn: change,
    onSuccess: onDone,
    onError: () => void (isSent.current = false),
    // An answer may hold a secret.
    gcTime: 0,
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!canConfirm || isSent.current) return;
          isSent.current = true;
          mutate(why);
        }}
      >
        {children}
        {error !== null && <Failure error={error} />}
        <TextInput
          label="Why (kept in the audit trail)"
          maxLength={500}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
        />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            {dismiss}
          </Button>
          <Button
            type="submit"
            {...(isDanger && { color: "red.9" })}
            loading={isPending}
            disabled={!canConfirm}
          >
            {confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

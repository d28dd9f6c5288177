import { Button } from "@mantine/core";
import { CopyButton } from "../parts/copy-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import styles from "./endpoint.module.css";

/** A secret that was just made. It is in this dialog alone: nothing keeps it once that is closed. */
export function SecretDialog({
  secret,
  onClose,
}: {
  readonly secret: string;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="The new secret" onClose={onClose}>
      <p>
        Give it to the receiver now. It is shown this once: after this is
        closed, nobody can look it up, and only a rotation makes another one.
      </p>
      <output className={styles.secret}>{secret}</output>
      <div className={styles.buttons}>
        <CopyButton text={secret}>Copy</CopyButton>
        <Button size="xs" onClick={onClose}>
          I have stored it
        </Button>
      </div>
    </Dialog>
  );
}

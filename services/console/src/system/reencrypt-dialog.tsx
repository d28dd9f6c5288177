import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { reencryptAll, type Resealed } from "./reencrypt.ts";

export function ReencryptDialog({
  newest,
  onDone,
  onClose,
}: {
  readonly newest: string;
  readonly onDone: (done: Resealed) => void;
  readonly onClose: () => void;
}) {
  const { ask } = useSession();
  return (
    <ChangeDialog
      title="Seal all secrets anew"
      confirm="Seal anew"
      change={(why) => reencryptAll(ask, why)}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        Every secret and header value that another key has sealed is sealed with{" "}
        <Text>{newest}</Text>. Nothing else changes: endpoints keep their
        secrets, and deliveries go on. Where it is cut off, the same again does
        the rest.
      </p>
    </ChangeDialog>
  );
}

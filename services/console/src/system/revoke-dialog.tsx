import type { ApiKey } from "../api/answers-system.ts";
import { ChangeDialog } from "../parts/change-dialog.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";

export function RevokeDialog({
  of,
  onRevoked,
  onClose,
}: {
  readonly of: ApiKey;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}) {
  const { ask, caller } = useSession();
  return (
    <ChangeDialog
      title="Revoke this key"
      confirm="Revoke it"
      isDanger
      change={(why) =>
        ask<ApiKey>(`v1/keys/${encodeURIComponent(of.id)}`, {
          method: "DELETE",
          why,
        })
      }
      onDone={onRevoked}
      onClose={onClose}
    >
      <p>
        <strong>
          <Text>{of.name}</Text>
        </strong>{" "}
        ({of.role}, {of.tenantId === null ? "all tenants" : of.tenantId}) is
        refused within moments, for good: a revoked key cannot be made valid
        again.
      </p>
      {of.id === caller.keyId && (
        <p>
          <strong>You are signed in with this key</strong>, and are signed out
          by it.
        </p>
      )}
    </ChangeDialog>
  );
}

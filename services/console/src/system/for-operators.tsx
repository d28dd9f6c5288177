import { Nothing } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";

/** What a tenant's key gets where something is not its own. */
export function ForOperators({ what }: { readonly what: string }) {
  const { caller } = useSession();
  return (
    <Nothing title="For operators">
      <p>
        {what} every tenant alike, and your key is one of the tenant{" "}
        {caller.tenantId}. Sign in with a key of no tenant.
      </p>
    </Nothing>
  );
}

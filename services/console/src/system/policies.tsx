import { useQuery } from "@tanstack/react-query";
import type { TypePolicyPage } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Failure } from "../parts/notices.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import styles from "./system.module.css";

const MOST = 100;

const LEVELS: Readonly<Record<string, string>> = {
  off: "No: any event is accepted.",
  known: "Events of types that the catalogue lacks are refused.",
  schema: "Events that do not fit their type's schema are refused, too.",
};

/** What tenants' events are held to. Nothing where no tenant has a policy. */
export function Policies({
  tenantId,
}: {
  readonly tenantId: string | undefined;
}) {
  const { ask } = useSession();
  const { data, error } = useQuery({
    queryKey: ["type-policies", tenantId],
    queryFn: ({ signal }) =>
      ask<TypePolicyPage>("v1/event-type-policies", {
        query: { tenantId, limit: String(MOST) },
        signal,
      }),
  });
  if (error !== null) return <Failure error={error} />;
  if (data === undefined || data.policies.length === 0) return null;
  return (
    <section className={styles.section} aria-labelledby="policies">
      <h2 id="policies">Who is held to them</h2>
      <div className={list.list}>
        <table className={`${list.table} ${styles.plain}`}>
          <thead>
            <tr>
              <th scope="col">Tenant</th>
              <th scope="col">Held to the catalogue</th>
            </tr>
          </thead>
          <tbody>
            {data.policies.map(({ tenantId: tenant, level }) => (
              <tr key={tenant}>
                <th scope="row">
                  <Text>{tenant}</Text>
                </th>
                <td>{LEVELS[level] ?? level}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data.nextCursor !== null && (
        <p className={styles.note}>
          These are the first {MOST}: filter by a tenant for others.
        </p>
      )}
    </section>
  );
}

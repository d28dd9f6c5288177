import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type Ref, useState } from "react";
import type { ApiKey } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { visibleText } from "../shown/visible-text.ts";
import { RevokeDialog } from "./revoke-dialog.tsx";
import styles from "./system.module.css";

/** A key's name leads to what was done to it. */
export function KeyTable({
  keys,
  isOfAllTenants,
  onRevoked,
  ref,
}: {
  readonly keys: readonly ApiKey[];
  readonly isOfAllTenants: boolean;
  readonly onRevoked: () => void;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <>
      <table ref={ref} className={`${list.table} ${styles.plain}`}>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col" className={list.wide}>
              Role
            </th>
            {isOfAllTenants && (
              <th scope="col" className={list.wide}>
                Tenant
              </th>
            )}
            <th scope="col">State</th>
            <th scope="col" className={list.wide}>
              Made
            </th>
            <th scope="col" className={list.wide}>
              Expires
            </th>
            <th scope="col" className={list.wide}>
              Limit
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <td className={styles.what}>
                <Link
                  data-row
                  to="/system"
                  search={{
                    tab: "audit",
                    subject: "key",
                    subjectId: key.id,
                  }}
                >
                  <Text>{key.name}</Text>
                </Link>
                <small>
                  <Text>{key.id}</Text>
                </small>
                <small className={styles.narrow}>
                  {key.role},{" "}
                  {key.tenantId === null ? (
                    "all tenants"
                  ) : (
                    <Text>{key.tenantId}</Text>
                  )}
                </small>
              </td>
              <td className={list.wide}>{key.role}</td>
              {isOfAllTenants && (
                <td className={list.wide}>
                  {key.tenantId === null ? "all" : <Text>{key.tenantId}</Text>}
                </td>
              )}
              <td>
                <State of={key} />
              </td>
              <td className={list.wide}>
                <Time at={key.createdAt} />{" "}
                <small>
                  by <Text>{key.createdBy}</Text>
                </small>
              </td>
              <td className={list.wide}>
                {key.expiresAt === null ? "never" : <Time at={key.expiresAt} />}
              </td>
              <td className={list.wide}>
                {key.limitPerSecond === null
                  ? "none"
                  : `${key.limitPerSecond} requests/s`}
              </td>
              <td className={styles.act}>
                {key.state === "active" && (
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Revoke ${visibleText(key.name)}`}
                    onClick={() => setRevoking(key)}
                  >
                    Revoke…
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {revoking !== null && (
        <RevokeDialog
          of={revoking}
          onRevoked={() => {
            setRevoking(null);
            onRevoked();
          }}
          onClose={() => setRevoking(null)}
        />
      )}
    </>
  );
}

function State({ of }: { readonly of: ApiKey }) {
  switch (of.state) {
    case "active":
      return <Sign tone="ok">Active</Sign>;
    case "revoked":
      return (
        <>
          <Sign tone="bad">Revoked</Sign>{" "}
          <small>
            <Time at={of.revokedAt} />
          </small>
        </>
      );
    case "expired":
      return <Sign tone="idle">Expired</Sign>;
    default:
      return <Sign tone="idle">{of.state}</Sign>;
  }
}

import { useQuery } from "@tanstack/react-query";
import type { Configuration, Setting } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Failure, Loading, Nothing } from "../parts/notices.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { ForOperators } from "./for-operators.tsx";
import styles from "./system.module.css";

/** What this control runs with. For administrators of all tenants. */
export function ConfigTab() {
  const { caller } = useSession();
  if (caller.tenantId === null && caller.role === "admin") return <Settings />;
  return (
    <section className={styles.section} aria-label="Configuration">
      <div className={list.list}>
        {caller.tenantId !== null ? (
          <ForOperators what="The configuration concerns" />
        ) : (
          <Nothing title="For administrators">
            <p>
              The configuration is shown to administrators alone, and your key
              is a reader&apos;s. Sign in with the key of an administrator.
            </p>
          </Nothing>
        )}
      </div>
    </section>
  );
}

function Settings() {
  const { ask } = useSession();
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    queryKey: ["config"],
    queryFn: ({ signal }) => ask<Configuration>("v1/config", { signal }),
  });
  return (
    <section className={styles.section} aria-label="Configuration">
      <div className={list.list}>
        {error !== null && (
          <Failure
            error={error}
            onRetry={() => void refetch()}
            readAt={dataUpdatedAt}
          />
        )}
        {data === undefined && error === null && (
          <Loading what="the configuration" />
        )}
        {data !== undefined && <SettingTable settings={data.settings} />}
      </div>
      {data !== undefined && (
        <p className={styles.note}>
          Of the replica of control that answers, version{" "}
          <Text>{data.version}</Text>. A secret is shown by whether it is set,
          and a URL without user and query. Of another service:{" "}
          <code>npx postrider doctor --as SERVICE</code>, with its environment,
          checks what it is set to.
        </p>
      )}
    </section>
  );
}

const FROM: Readonly<Record<string, string>> = {
  default: "Default",
  environment: "Set",
  file: "Set by a file",
};

function SettingTable({ settings }: { readonly settings: readonly Setting[] }) {
  return (
    <table className={`${list.table} ${styles.plain}`}>
      <thead>
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">Value</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {settings.map((each) => (
          <tr key={each.variable}>
            <th scope="row" className={styles.what}>
              <code>{each.variable}</code>
              <small>
                <Text>{each.description}</Text>
              </small>
            </th>
            <td className={styles.value}>
              {each.value === null ? (
                <small>not set</small>
              ) : (
                <Text>{each.value}</Text>
              )}
            </td>
            <td>
              {each.value === null ? "–" : (FROM[each.from] ?? each.from)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import { useQuery } from "@tanstack/react-query";
import type { ControlStatus } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { Failure, Loading } from "../parts/notices.tsx";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { ForOperators } from "./for-operators.tsx";
import { Processes } from "./process-table.tsx";
import styles from "./system.module.css";

const EVERY_MS = 5_000;

/** The replica of control that answers, what it can reach, and every process that is up. */
export function ServicesTab() {
  const { caller } = useSession();
  return (
    <div className={styles.section}>
      <State />
      {caller.tenantId === null && <Processes />}
    </div>
  );
}

function State() {
  const { ask, caller } = useSession();
  const isOperator = caller.tenantId === null;
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => ask<ControlStatus>("v1/status", { signal }),
    enabled: isOperator,
    refetchInterval: EVERY_MS,
  });
  return (
    <section className={styles.section} aria-label="Services">
      <div className={list.list}>
        {!isOperator && <ForOperators what="The state of services concerns" />}
        {error !== null && (
          <Failure
            error={error}
            onRetry={() => void refetch()}
            readAt={dataUpdatedAt}
          />
        )}
        {isOperator && data === undefined && error === null && (
          <Loading what="the state" />
        )}
        {data !== undefined && <StateTable status={data} />}
      </div>
      {data !== undefined && (
        <p className={styles.note}>
          As the replica of control that answers this page sees it, asked every
          five seconds. Whether a process can do its work, it says at{" "}
          <code>/readyz</code> of its own admin port;{" "}
          <code>npx postrider status</code> asks those beside{" "}
          <code>postrider dev</code>.
        </p>
      )}
    </section>
  );
}

const OWNERSHIP: Readonly<
  Record<
    string,
    readonly [tone: "ok" | "idle" | "wait", word: string, what: string]
  >
> = {
  owner: ["ok", "Writer", "Changes go through this replica."],
  follower: [
    "idle",
    "Follower",
    "It answers what is asked; changes go through another replica.",
  ],
  acquiring: [
    "wait",
    "Becoming writer",
    "Changes are refused for a moment (503), and work when they are sent again.",
  ],
};

function StateTable({ status }: { readonly status: ControlStatus }) {
  const { ownership, endpoints, clickhouse } = status;
  const { state, detail } = ownership;
  const [tone, word, what] = OWNERSHIP[state] ?? ["idle", state, ""];
  return (
    <table className={`${list.table} ${styles.plain}`}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">State</th>
          <th scope="col">That means</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">Control, this replica</th>
          <td>
            <Sign tone={tone}>{word}</Sign>
          </td>
          <td>
            {what}{" "}
            {state !== "owner" && (
              <small>
                <Text>{detail}</Text>
              </small>
            )}
          </td>
        </tr>
        <tr>
          <th scope="row">ClickHouse</th>
          <td>
            {clickhouse.isReachable ? (
              <Sign tone="ok">Reachable</Sign>
            ) : (
              <Sign tone="bad">Not reachable</Sign>
            )}
          </td>
          <td>
            {clickhouse.isReachable
              ? "Deliveries, events and the audit log can be read."
              : "Nothing that was recorded can be read; deliveries go on."}{" "}
            {!clickhouse.isReachable && (
              <small>
                <Text>{clickhouse.detail}</Text>
              </small>
            )}
          </td>
        </tr>
        <tr>
          <th scope="row">Endpoints</th>
          <td>{endpoints}</td>
          <td>So many are known, of all tenants.</td>
        </tr>
      </tbody>
    </table>
  );
}

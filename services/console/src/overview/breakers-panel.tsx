import { Link } from "@tanstack/react-router";
import type { QueryAnswer } from "../api/answers-queries.ts";
import list from "../parts/list.module.css";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { useSession } from "../session/session-context.ts";
import { counted } from "../shown/amounts.ts";
import { rowsOf, timeOf } from "../shown/query-rows.ts";
import { None, Panel } from "./panel.tsx";
import { useFresh } from "./use-fresh.ts";
import styles from "./overview.module.css";

const SHOWN = 10;

/** Endpoints whose breaker has put deliveries off, and which have accepted nothing since. */
export function BreakersPanel({ since }: { readonly since: string }) {
  const { caller } = useSession();
  const found = useFresh<QueryAnswer>("v1/queries/breaker-time", {
    since,
    limit: "1000",
  });
  return (
    <Panel title="Open breakers" found={found}>
      {(answer) => {
        const open = rowsOf<Readonly<Record<string, unknown>>>(answer).filter(
          (each) => Number(each["still_open"]) > 0,
        );
        if (open.length === 0)
          return (
            <None>No breaker is open that held deliveries in this time.</None>
          );
        return (
          <>
            <p className={styles.figure}>
              <strong>{open.length}</strong>{" "}
              {open.length === 1 ? "endpoint" : "endpoints"}
              {answer.truncated && " at least"}
            </p>
            <table className={`${list.table} ${styles.rows}`}>
              <thead>
                <tr>
                  <th scope="col">Endpoint</th>
                  {caller.tenantId === null && <th scope="col">Tenant</th>}
                  <th scope="col">Since</th>
                  <th scope="col" className={list.number}>
                    Put off
                  </th>
                </tr>
              </thead>
              <tbody>
                {open.slice(0, SHOWN).map((each) => {
                  const endpointId = String(each["endpoint_id"]);
                  return (
                    <tr key={endpointId}>
                      <td>
                        <EndpointLink id={endpointId} since={since} />
                      </td>
                      {caller.tenantId === null && (
                        <td>
                          <Text>{String(each["tenant_id"])}</Text>
                        </td>
                      )}
                      <td className={list.time}>
                        <Time at={timeOf(String(each["last_opened_at"]))} />
                      </td>
                      <td className={list.number}>
                        {Number(each["deliveries_put_off"]).toLocaleString(
                          "en",
                        )}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
            {open.length > SHOWN && (
              <None>{counted(open.length - SHOWN, "more endpoint")}.</None>
            )}
          </>
        );
      }}
    </Panel>
  );
}

/** A destination that came with its event has no page of its own: its deliveries are shown. */
function EndpointLink({
  id,
  since,
}: {
  readonly id: string;
  readonly since: string;
}) {
  return id.startsWith("inline_") ? (
    <Link data-row to="/deliveries" search={{ endpointId: id, since }}>
      <Text>{id}</Text>
    </Link>
  ) : (
    <Link data-row to="/endpoints/$id" params={{ id }}>
      <Text>{id}</Text>
    </Link>
  );
}

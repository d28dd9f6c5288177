import { Link, useNavigate } from "@tanstack/react-router";
import type { Ref } from "react";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { counted, shownShare } from "../shown/amounts.ts";
import { timeOf } from "../shown/query-rows.ts";
import styles from "./endpoints.module.css";
import type { Breaker, BreakerOf } from "./breakers.ts";
import { HealthLine } from "./health-line.tsx";
import {
  HEALTH_WINDOW,
  type EndpointHealth,
  type Health,
} from "./use-health.ts";

/** A row opens its endpoint: by its link, and for the mouse anywhere in it. */
export function EndpointTable({
  endpoints,
  isOfAllTenants,
  health,
  breakers,
  ref,
}: {
  readonly endpoints: readonly EndpointSettings[];
  readonly isOfAllTenants: boolean;
  readonly health: Health;
  readonly breakers: BreakerOf;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Endpoint</th>
          {isOfAllTenants && (
            <th scope="col" className={list.wide}>
              Tenant
            </th>
          )}
          <th scope="col" className={list.wide}>
            Event types
          </th>
          <th scope="col" className={list.number}>
            Last {HEALTH_WINDOW.words}
          </th>
          <th scope="col" className={list.wide}>
            Breaker
          </th>
        </tr>
      </thead>
      <tbody>
        {endpoints.map((each) => (
          <tr
            key={each.id}
            onClick={openRow(
              () =>
                void navigate({
                  to: "/endpoints/$id",
                  params: { id: each.id },
                }),
            )}
          >
            <td>
              <Status status={each.state} />
            </td>
            <td className={styles.endpoint}>
              <Link data-row to="/endpoints/$id" params={{ id: each.id }}>
                <Text>{each.url}</Text>
              </Link>
              <small>
                <Text>{each.description || each.id}</Text>
              </small>
              {each.stateReason !== null && (
                <small>
                  <Text>{each.stateReason}</Text>
                </small>
              )}
            </td>
            {isOfAllTenants && (
              <td className={list.wide}>
                <Text>{each.tenantId}</Text>
              </td>
            )}
            <td className={`${list.wide} ${styles.types}`}>
              <Text>{each.eventTypes.join(", ")}</Text>
            </td>
            <td className={list.number}>
              {health.attempts && <Success of={health.attempts.get(each.id)} />}
            </td>
            <td className={list.wide}>
              <BreakerState of={breakers(each.id)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Which share of the attempts succeeded, and of how many. */
function Success({ of }: { readonly of: EndpointHealth | undefined }) {
  if (of === undefined) return <small>no attempts</small>;
  return (
    <span className={styles.share}>
      {shownShare(of.delivered, of.attempts)}
      <small>of {counted(of.attempts, "attempt")}</small>
      <HealthLine of={of} />
    </span>
  );
}

function BreakerState({ of }: { readonly of: Breaker | null | undefined }) {
  if (of === undefined) return <small>–</small>;
  if (of === null || of.still_open === 0) return <small>closed</small>;
  return (
    <>
      <strong className={styles.open}>Open</strong>{" "}
      <small>
        <Time at={timeOf(of.last_opened_at)} />
      </small>
    </>
  );
}

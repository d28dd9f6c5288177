import { useNavigate } from "@tanstack/react-router";
import { memo, type Ref } from "react";
import type { Delivery } from "../api/answers.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { RowLink } from "../parts/row-link.tsx";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { shownDuration } from "../shown/amounts.ts";
import styles from "./deliveries.module.css";

/** So that the way back from it leads to this list as it is. */
const FROM_LIST = { isFromList: true } as const;

/** A row opens its delivery: by its link, and for the mouse anywhere in it. While the next rows are awaited these are not made again. */
export const DeliveryTable = memo(function DeliveryTable({
  deliveries,
  isOfAllTenants,
  isOfOneEndpoint = false,
  ref,
}: {
  readonly deliveries: readonly Delivery[];
  readonly isOfAllTenants: boolean;
  readonly isOfOneEndpoint?: boolean;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Event</th>
          {isOfAllTenants && (
            <th scope="col" className={list.wide}>
              Tenant
            </th>
          )}
          {!isOfOneEndpoint && (
            <th scope="col" className={list.wide}>
              Endpoint
            </th>
          )}
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Attempts
          </th>
          <th scope="col">Last answer</th>
          <th scope="col">Received</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((each) => (
          <tr
            key={each.id}
            onClick={openRow(
              () =>
                void navigate({
                  to: "/deliveries/$id",
                  params: { id: each.id },
                  state: FROM_LIST,
                }),
            )}
          >
            <td>
              <Status status={each.status} />
            </td>
            <td className={styles.event}>
              <RowLink
                data-row
                to="/deliveries/$id"
                id={each.id}
                state={FROM_LIST}
              >
                <Text>{each.eventType}</Text>
              </RowLink>
              <small>
                <Text>{each.eventId}</Text>
              </small>
            </td>
            {isOfAllTenants && (
              <td className={list.wide}>
                <Text>{each.tenantId}</Text>
              </td>
            )}
            {!isOfOneEndpoint && (
              <td className={`${list.wide} ${styles.id}`}>
                <EndpointLink id={each.endpointId} />
              </td>
            )}
            <td className={`${list.wide} ${list.number}`}>{each.attempts}</td>
            <td className={styles.answer}>
              <LastAnswer of={each} />
            </td>
            <td className={list.time}>
              <Time at={each.receivedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});

/** A destination that came with its event has no page. */
function EndpointLink({ id }: { readonly id: string }) {
  if (id.startsWith("inline_")) return <Text>{id}</Text>;
  return (
    <RowLink to="/endpoints/$id" id={id}>
      <Text>{id}</Text>
    </RowLink>
  );
}

function LastAnswer({ of }: { readonly of: Delivery }) {
  if (of.outcome === null) return <>–</>;
  const what =
    of.statusCode === null
      ? (of.errorCode ?? of.outcome.replaceAll("_", " "))
      : String(of.statusCode);
  return (
    <>
      <Text>{what}</Text> <small>{shownDuration(of.durationMs)}</small>
    </>
  );
}

import { Link, useNavigate } from "@tanstack/react-router";
import type { Ref } from "react";
import type { ExplainedDelivery } from "../api/answers-event.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Sign } from "../parts/sign.tsx";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { deliverySentence } from "../shown/event-sentences.ts";
import { EndpointName } from "./endpoint-name.tsx";
import styles from "./event.module.css";

/** The event to each of its endpoints. A row opens its delivery. */
export function EventDeliveries({
  deliveries,
  ref,
}: {
  readonly deliveries: readonly ExplainedDelivery[];
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Endpoint</th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Attempts
          </th>
          <th scope="col">Why</th>
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
                }),
            )}
          >
            <td>
              {each.waitsFor === "resume" ? (
                <Sign tone="wait">Parked</Sign>
              ) : (
                <Status status={each.status} />
              )}
            </td>
            <td className={styles.endpoint}>
              <Link data-row to="/deliveries/$id" params={{ id: each.id }}>
                <EndpointName of={each.endpoint} />
              </Link>
              {each.replayId !== null && (
                <small>
                  sent by{" "}
                  <Link to="/replays/$id" params={{ id: each.replayId }}>
                    <Text>{each.replayId}</Text>
                  </Link>
                </small>
              )}
            </td>
            <td className={`${list.wide} ${list.number}`}>{each.attempts}</td>
            <td>
              <Text>{deliverySentence(each)}</Text>{" "}
              {each.nextAttemptAt !== null && (
                <small>
                  Next <Time at={each.nextAttemptAt} />.
                </small>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

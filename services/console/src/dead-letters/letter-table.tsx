import { Link, useNavigate } from "@tanstack/react-router";
import type { Ref } from "react";
import type { DeadLetter } from "../api/answers-letters.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { ChooseBox } from "./choose-box.tsx";
import { LastAnswer } from "./last-answer.tsx";
import { keyOf, whyNotLetter } from "./letters.ts";
import styles from "./letters.module.css";
import type { Chosen } from "./use-chosen.ts";

/** The dead letters of a group. A row opens its delivery, where there is one. */
export function LetterTable({
  letters,
  chosen,
  ref,
}: {
  readonly letters: readonly DeadLetter[];
  /** Null: nothing can be chosen with this key. */
  readonly chosen: Chosen<DeadLetter> | null;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          {chosen !== null && (
            <td className={styles.choose}>
              <ChooseBox
                label="All of this page that can be sent again"
                isChosen={chosen.isAll}
                isPart={chosen.rows.length > 0 && !chosen.isAll}
                onToggle={chosen.toggleAll}
              />
            </td>
          )}
          <th scope="col">Event</th>
          <th scope="col" className={list.wide}>
            Detail
          </th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Attempts
          </th>
          <th scope="col">Last answer</th>
          <th scope="col">Given up</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {letters.map((letter) => {
          const { deliveryId: id } = letter;
          const to = "/deliveries/$id";
          return (
            <tr
              key={keyOf(letter)}
              onClick={openRow(() => {
                if (id !== null) void navigate({ to, params: { id } });
              })}
            >
              {chosen !== null && (
                <td className={styles.choose}>
                  <ChooseBox
                    label={`Choose the delivery of ${letter.eventId ?? "no event"}`}
                    isChosen={chosen.has(keyOf(letter))}
                    whyNot={whyNotLetter(letter)}
                    onToggle={() => chosen.toggle(keyOf(letter))}
                  />
                </td>
              )}
              <td className={styles.what}>
                {id === null ? (
                  <span>Not an event</span>
                ) : (
                  <Link data-row to={to} params={{ id }}>
                    <Text>{letter.eventType ?? id}</Text>
                  </Link>
                )}
                <small>
                  <Text>
                    {letter.eventId ??
                      `${letter.logTopic}/${letter.logPartition}@${letter.logOffset}`}
                  </Text>
                </small>
              </td>
              <td className={`${list.wide} ${styles.detail}`}>
                <Text>{letter.detail ?? "–"}</Text>
              </td>
              <td className={`${list.wide} ${list.number}`}>
                {letter.attempts}
              </td>
              <td>
                <LastAnswer
                  statusCode={letter.lastStatusCode}
                  outcome={letter.lastOutcome}
                />
              </td>
              <td className={list.time}>
                <Time at={letter.deadAt} />
              </td>
              <td>{letter.isDelivered ? "Delivered since" : "Open"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

import { Link, useNavigate } from "@tanstack/react-router";
import type { Ref } from "react";
import type { Replay } from "../api/answers-replays.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Status } from "../parts/status.tsx";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { selectionSentence } from "../shown/selection-sentence.ts";
import { ProgressBar } from "./progress-bar.tsx";
import styles from "./replays.module.css";

/** A row opens its replay: by its link, and for the mouse anywhere in it. */
export function ReplayTable({
  replays,
  ref,
}: {
  readonly replays: readonly Replay[];
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Why, and what</th>
          <th scope="col">Sent</th>
          <th scope="col" className={list.wide}>
            By key
          </th>
          <th scope="col" className={list.wide}>
            Made
          </th>
        </tr>
      </thead>
      <tbody>
        {replays.map((replay) => {
          const { id, total, sent } = replay;
          const to = { to: "/replays/$id", params: { id } } as const;
          return (
            <tr key={id} onClick={openRow(() => void navigate(to))}>
              <td>
                <Status status={replay.state} />
              </td>
              <td className={styles.what}>
                <Link data-row {...to}>
                  <Text>{replay.why || "No reason given"}</Text>
                </Link>
                <small>
                  <Text>{selectionSentence(replay)}</Text>
                </small>
              </td>
              <td className={styles.sent}>
                {sent} of {total}
                <ProgressBar replay={replay} />
              </td>
              <td className={list.wide}>
                <Text>{replay.createdBy}</Text>
              </td>
              <td className={`${list.wide} ${list.time}`}>
                <Time at={replay.createdAt} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

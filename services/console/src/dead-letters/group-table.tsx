import { Link, useNavigate } from "@tanstack/react-router";
import type { Ref } from "react";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { ChooseBox } from "./choose-box.tsx";
import { LastAnswer } from "./last-answer.tsx";
import type { GroupSearch, LetterSearch } from "./letter-filters.ts";
import { whyNotSent, type LetterGroup } from "./letter-groups.ts";
import styles from "./letters.module.css";
import type { Chosen } from "./use-chosen.ts";

/** A row opens its group: by its link, and for the mouse anywhere in it. */
export function GroupTable({
  groups,
  chosen,
  search,
  isOfAllTenants,
  ref,
}: {
  readonly groups: readonly LetterGroup[];
  /** Null: nothing can be chosen with this key. */
  readonly chosen: Chosen<LetterGroup> | null;
  readonly search: GroupSearch;
  readonly isOfAllTenants: boolean;
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
                label="All groups that can be sent again"
                isChosen={chosen.isAll}
                isPart={chosen.rows.length > 0 && !chosen.isAll}
                onToggle={chosen.toggleAll}
              />
            </td>
          )}
          <th scope="col">Endpoint</th>
          {isOfAllTenants && (
            <th scope="col" className={list.wide}>
              Tenant
            </th>
          )}
          <th scope="col">Reason</th>
          <th scope="col" className={list.wide}>
            Last answer
          </th>
          <th scope="col" className={list.number}>
            Open
          </th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            All
          </th>
          <th scope="col" className={list.wide}>
            First
          </th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
          const to = { to: "/dead-letters/group", search: of(group, search) };
          return (
            <tr key={group.key} onClick={openRow(() => void navigate(to))}>
              {chosen !== null && (
                <td className={styles.choose}>
                  <ChooseBox
                    label={`Choose ${group.reason} of ${group.endpointId || "no endpoint"}`}
                    isChosen={chosen.has(group.key)}
                    whyNot={whyNotSent(group)}
                    onToggle={() => chosen.toggle(group.key)}
                  />
                </td>
              )}
              <td className={styles.what}>
                <Link data-row {...to}>
                  {group.endpointId === "" ? (
                    "No endpoint"
                  ) : (
                    <Text>{group.endpointId}</Text>
                  )}
                </Link>
              </td>
              {isOfAllTenants && (
                <td className={list.wide}>
                  <Text>{group.tenantId || "–"}</Text>
                </td>
              )}
              <td className={styles.reason}>
                <Text>{group.reason.replaceAll("_", " ")}</Text>
                <small>
                  <LastAnswer {...group} />
                </small>
              </td>
              <td className={list.wide}>
                <LastAnswer {...group} />
              </td>
              <td className={list.number}>{group.open}</td>
              <td className={`${list.wide} ${list.number}`}>{group.letters}</td>
              <td className={`${list.wide} ${list.time}`}>
                <Time at={group.firstAt} />
              </td>
              <td className={list.time}>
                <Time at={group.lastAt} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The group's place in the URL: its own fields, and the times that were asked for. */
function of(group: LetterGroup, search: GroupSearch): LetterSearch {
  const { tenantId, endpointId, reason, statusCode } = group;
  const { since, until, show } = search;
  return {
    ...(tenantId !== "" && { tenantId }),
    ...(endpointId !== "" && { endpointId }),
    reason,
    statusCode: String(statusCode ?? "none"),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(show !== undefined && { show }),
  };
}

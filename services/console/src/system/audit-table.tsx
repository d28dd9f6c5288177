import { getRouteApi, Link } from "@tanstack/react-router";
import { Fragment, type Ref } from "react";
import type { AuditEntry } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Text } from "../parts/text.tsx";
import { Time } from "../parts/time.tsx";
import { actionWords } from "../shown/audit-changes.ts";
import { AuditDetails } from "./audit-details.tsx";
import type { SystemSearch } from "./system-search.ts";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** A row opens what it changed below it, and closes it. */
export function AuditTable({
  entries,
  open,
  isOfAllTenants,
  ref,
}: {
  readonly entries: readonly AuditEntry[];
  /** The row that is open. */
  readonly open: string | undefined;
  readonly isOfAllTenants: boolean;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = route.useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          {isOfAllTenants && (
            <th scope="col" className={list.wide}>
              Tenant
            </th>
          )}
          <th scope="col" className={list.wide}>
            By
          </th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => {
          const key = keyOf(entry);
          const isOpen = key === open;
          const toggled = (now: SystemSearch): SystemSearch => {
            const { open: _, ...rest } = now;
            return isOpen ? rest : { ...rest, open: key };
          };
          return (
            <Fragment key={key}>
              <tr
                onClick={openRow(
                  () =>
                    void navigate({
                      search: toggled,
                      replace: true,
                      resetScroll: false,
                    }),
                )}
              >
                <td className={list.time}>
                  <Time at={entry.at} />
                </td>
                <td className={styles.what}>
                  <Link
                    data-row
                    to="/system"
                    search={toggled}
                    replace
                    resetScroll={false}
                    aria-expanded={isOpen}
                  >
                    <Text>{actionWords(entry)}</Text>
                  </Link>
                  <small>
                    <Text>{entry.subjectId}</Text>
                  </small>
                </td>
                {isOfAllTenants && (
                  <td className={list.wide}>
                    <Text>{entry.tenantId ?? "–"}</Text>
                  </td>
                )}
                <td className={`${list.wide} ${styles.id}`}>
                  <Text>{entry.actor}</Text>
                </td>
                <td>
                  <Text>{entry.why || "–"}</Text>
                </td>
              </tr>
              {isOpen && (
                <tr className={styles.details}>
                  <td colSpan={5}>
                    <AuditDetails entry={entry} />
                  </td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

/** The API gives entries no id. */
function keyOf({ at, subjectId, action }: AuditEntry): string {
  return `${at} ${subjectId} ${action}`;
}

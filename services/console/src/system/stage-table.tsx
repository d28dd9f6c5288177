import { getRouteApi, Link } from "@tanstack/react-router";
import { Fragment, type Ref } from "react";
import type { Stage } from "../api/answers-system.ts";
import list from "../parts/list.module.css";
import { openRow } from "../parts/open-row.ts";
import { Sign } from "../parts/sign.tsx";
import { Text } from "../parts/text.tsx";
import { shownCount, stageState } from "../shown/lag-sentences.ts";
import { StageDetails } from "./stage-details.tsx";
import { SystemProblemNote } from "./system-problem.tsx";
import type { SystemSearch } from "./system-search.ts";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** A row opens the stage's topics and members below it, and closes them. */
export function StageTable({
  stages,
  open,
  ref,
}: {
  readonly stages: readonly Stage[];
  /** The row that is open. */
  readonly open: string | undefined;
  readonly ref: Ref<HTMLTableElement>;
}) {
  const navigate = route.useNavigate();
  return (
    <table ref={ref} className={list.table}>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">State</th>
          <th scope="col" className={list.number}>
            Not done
          </th>
          <th scope="col" className={`${list.wide} ${list.number}`}>
            Behind
          </th>
        </tr>
      </thead>
      <tbody>
        {stages.map((stage) => {
          const isOpen = stage.name === open;
          const toggled = (now: SystemSearch): SystemSearch => {
            const { open: _, ...rest } = now;
            return isOpen ? rest : { ...rest, open: stage.name };
          };
          return (
            <Fragment key={stage.name}>
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
                <td className={styles.what}>
                  <Link
                    data-row
                    to="/system"
                    search={toggled}
                    replace
                    resetScroll={false}
                    aria-expanded={isOpen}
                  >
                    <Text>{stage.name}</Text>
                  </Link>
                  <small>{stage.service}</small>
                </td>
                <td>
                  <StageSign of={stage} />
                  <SystemProblemNote of={stage.problem} />
                </td>
                <td className={list.number}>
                  {shownCount(stage.unfinished)}
                  {stage.isWaiting && <small> waiting</small>}
                </td>
                <td className={`${list.wide} ${list.number}`}>
                  {shownCount(stage.behind)}
                </td>
              </tr>
              {isOpen && (
                <tr className={styles.details}>
                  <td colSpan={4}>
                    <StageDetails of={stage} />
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

function StageSign({ of }: { readonly of: Stage }) {
  const [tone, word] = stageState(of);
  return <Sign tone={tone}>{word}</Sign>;
}

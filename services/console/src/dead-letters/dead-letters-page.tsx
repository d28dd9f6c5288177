import { Button } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import { ListFrame } from "../parts/list-frame.tsx";
import list from "../parts/list.module.css";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { useSession } from "../session/session-context.ts";
import { counted } from "../shown/amounts.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { ChoiceBar } from "./choice-bar.tsx";
import { GroupTable } from "./group-table.tsx";
import { selectionOf } from "./group-selection.ts";
import { groupSearch, MAX_GROUPS, type GroupSearch } from "./letter-filters.ts";
import { LetterFilterBar } from "./letter-filter-bar.tsx";
import { whyNotSent, type LetterGroup } from "./letter-groups.ts";
import { useChosen } from "./use-chosen.ts";
import { useGroups } from "./use-groups.ts";

const route = getRouteApi("/dead-letters");
const NONE: readonly LetterGroup[] = [];

/** What was given up, grouped by what it is to be sent again together. All that is asked for is in the URL. */
export function DeadLettersPage() {
  usePageTitle("Dead letters");
  const { caller } = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  const found = useGroups(search);
  const { data, isFetching, refetch } = found;
  const all = data?.groups ?? NONE;
  const shown =
    search.show === "all" ? all : all.filter(({ open }) => open > 0);
  const chosen = useChosen(
    shown.filter((group) => whyNotSent(group) === null),
    ({ key }) => key,
  );
  const isOfAllTenants = caller.tenantId === null;
  const selection =
    chosen.rows.length === 0
      ? null
      : selectionOf(chosen.rows, {
          all,
          isCut: data?.isCut === true,
          maySql: isOfAllTenants,
        });
  useRowKeys(table, "letters-endpoint");
  const isAdmin = caller.role === "admin";
  return (
    <>
      <div className={list.head}>
        <h1>Dead letters</h1>
        <Button
          variant="default"
          size="xs"
          loading={isFetching}
          onClick={() => void refetch()}
        >
          Refresh
        </Button>
      </div>
      <LetterFilterBar
        search={search}
        isOfAllTenants={isOfAllTenants}
        onChange={(changed) =>
          void navigate({ search: groupSearch({ ...changed }) })
        }
      />
      <ListFrame
        label="Groups of dead letters"
        what="dead letters"
        found={found}
        hasRows={() => shown.length > 0}
        nothing={() => (
          <NoGroups search={search} hasDelivered={all.length > 0} />
        )}
      >
        {() => (
          <>
            {isAdmin && (
              <ChoiceBar
                words={wordsOf(chosen.rows)}
                selection={selection}
                whyNot={
                  chosen.rows.length > 0 && selection === null
                    ? "A tenant's key sends these one by one: choose groups of one endpoint and one last answer."
                    : null
                }
                onClear={chosen.rows.length > 0 ? chosen.clear : undefined}
              />
            )}
            <GroupTable
              ref={table}
              groups={shown}
              chosen={isAdmin ? chosen : null}
              search={search}
              isOfAllTenants={isOfAllTenants}
            />
          </>
        )}
      </ListFrame>
      {data?.isCut === true && (
        <p>
          Only the {MAX_GROUPS} largest groups are shown: add a filter, or take
          a shorter time.
        </p>
      )}
    </>
  );
}

function wordsOf(chosen: readonly LetterGroup[]): string {
  if (chosen.length === 0) return "Choose groups to send them again.";
  const open = chosen.reduce((sum, group) => sum + group.open, 0);
  return `${counted(chosen.length, "group")} chosen: ${counted(open, "open dead letter")}.`;
}

function NoGroups({
  search,
  hasDelivered,
}: {
  readonly search: GroupSearch;
  readonly hasDelivered: boolean;
}) {
  if (hasDelivered)
    return (
      <Nothing title="Nothing is left to do">
        <p>All dead letters of this time have been delivered since.</p>
      </Nothing>
    );
  if (Object.keys(search).length > 0)
    return (
      <Nothing title="No dead letter matches">
        <p>Remove a filter, or take a longer time.</p>
      </Nothing>
    );
  return (
    <Nothing title="No dead letters in the last 7 days">
      <p>
        A delivery becomes one when its attempts are used up, or its endpoint is
        gone, disabled or paused.
      </p>
    </Nothing>
  );
}

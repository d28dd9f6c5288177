import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { DeadLetter, DeadLetterPage } from "../api/answers-letters.ts";
import { ListFrame } from "../parts/list-frame.tsx";
import { ListPages } from "../parts/list-pages.tsx";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { Text } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { counted } from "../shown/amounts.ts";
import { deadLetterSentence } from "../shown/sentences.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { ChoiceBar } from "./choice-bar.tsx";
import { groupSearch, lettersQuery } from "./letter-filters.ts";
import { LetterTable } from "./letter-table.tsx";
import { keyOf, whyNotLetter } from "./letters.ts";
import styles from "./letters.module.css";
import { useChosen } from "./use-chosen.ts";

const route = getRouteApi("/dead-letters/group");
const NONE: readonly DeadLetter[] = [];

/** The dead letters of one group, page by page. */
export function GroupPage() {
  usePageTitle("Dead letters of a group");
  const { ask, caller } = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const table = useRef<HTMLTableElement>(null);
  const found = useQuery({
    queryKey: ["dead-letters", search],
    queryFn: ({ signal }) =>
      ask<DeadLetterPage>("v1/dead-letters", {
        query: lettersQuery(search),
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const { data } = found;
  const letters = data?.deadLetters ?? NONE;
  const chosen = useChosen(
    letters.filter((letter) => whyNotLetter(letter) === null),
    keyOf,
  );
  const ids = chosen.rows.flatMap(({ deliveryId }) => deliveryId ?? []);
  useRowKeys(table, "");
  const { cursor, statusCode, ...rest } = search;
  const { endpointId, reason = "", tenantId } = search;
  const of = tenantId !== undefined && caller.tenantId === null;
  return (
    <>
      <p className={styles.back}>
        <Link to="/dead-letters" search={filtersOf(rest)}>
          All groups
        </Link>
      </p>
      <h1>
        Dead letters of{" "}
        {endpointId === undefined ? (
          "no endpoint"
        ) : (
          <EndpointLink id={endpointId} />
        )}
      </h1>
      <p className={styles.standing}>
        <Text>{deadLetterSentence(reason)}</Text> {answerWords(statusCode)}
        {of && (
          <>
            {" "}
            Tenant <Text>{tenantId}</Text>.
          </>
        )}
      </p>
      <ListFrame
        label="Dead letters"
        found={found}
        hasRows={({ deadLetters }) => deadLetters.length > 0}
        nothing={({ nextCursor }) => (
          <NoLetters hasMore={nextCursor !== null} />
        )}
      >
        {({ deadLetters }) => (
          <>
            {caller.role === "admin" && (
              <ChoiceBar
                words={
                  ids.length === 0
                    ? "Choose dead letters to send them again."
                    : `${counted(ids.length, "dead letter")} chosen.`
                }
                selection={ids.length === 0 ? null : { deliveryIds: ids }}
                whyNot={null}
                onClear={ids.length > 0 ? chosen.clear : undefined}
              />
            )}
            <LetterTable
              ref={table}
              letters={deadLetters}
              chosen={caller.role === "admin" ? chosen : null}
            />
          </>
        )}
      </ListFrame>
      <ListPages
        isFirst={cursor === undefined}
        nextCursor={data?.nextCursor ?? null}
        onGo={(next) =>
          void navigate({
            search: (now) => {
              const { cursor: _, ...first } = now;
              return next === undefined ? first : { ...first, cursor: next };
            },
          })
        }
      />
    </>
  );
}

/** A destination that came with its event has no page. */
function EndpointLink({ id }: { readonly id: string }) {
  if (id.startsWith("inline_")) return <Text>{id}</Text>;
  return (
    <Link to="/endpoints/$id" params={{ id }}>
      <Text>{id}</Text>
    </Link>
  );
}

/** The way back is to all groups of the same time. */
function filtersOf(search: Readonly<Record<string, unknown>>) {
  const { since, until, show } = groupSearch(search);
  return groupSearch({ since, until, show });
}

function answerWords(statusCode: string | undefined): string {
  if (statusCode === undefined) return "";
  return statusCode === "none"
    ? "The last attempt had no answer with a status, or there was none."
    : `The last answer was ${statusCode}.`;
}

/** A page may be empty and have a next one: then there was nothing in the time that was looked at. */
function NoLetters({ hasMore }: { readonly hasMore: boolean }) {
  return hasMore ? (
    <Nothing title="Nothing found so far">
      <p>There is older time to look at: go on with Older.</p>
    </Nothing>
  ) : (
    <Nothing title="No dead letters here">
      <p>They have been delivered since, or there are no older ones.</p>
    </Nothing>
  );
}

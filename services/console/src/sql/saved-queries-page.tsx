import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { useRef } from "react";
import type { SavedQueries } from "../api/answers-queries.ts";
import { Failure, Loading } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { SqlModes } from "./sql-modes.tsx";
import styles from "./sql.module.css";

/** The questions of the cookbook, with the one that was chosen beside them. */
export function SavedQueriesPage() {
  usePageTitle("Saved queries");
  const { name } = useParams({ strict: false });
  const { data, error, refetch } = useSavedQueries();
  const page = useRef<HTMLDivElement>(null);
  // `j` and `k` go through the rows, where there are some, else through the questions.
  useRowKeys(
    {
      get current() {
        return (
          page.current?.querySelector<HTMLElement>("[data-result]") ??
          page.current
        );
      },
    },
    "",
  );
  return (
    <div ref={page}>
      <SqlModes />
      {error !== null && (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && (
        <Loading what="the saved queries" />
      )}
      {data !== undefined && (
        <div className={styles.saved}>
          <nav
            className={styles.questions}
            aria-label="Saved queries"
            data-chosen={name !== undefined}
          >
            <ul>
              {data.queries.map((query) => (
                <li key={query.name}>
                  <Link
                    to="/sql/saved/$name"
                    params={{ name: query.name }}
                    activeOptions={{ includeSearch: false }}
                    activeProps={{ "aria-current": "page" }}
                    data-row
                  >
                    {query.title}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          {name === undefined ? (
            <p className={styles.choose}>
              Choose a question: it says what it asks and in which SQL, and has
              a form for its parameters.
            </p>
          ) : (
            <Outlet />
          )}
        </div>
      )}
    </div>
  );
}

export function useSavedQueries() {
  const { ask } = useSession();
  return useQuery({
    queryKey: ["saved-queries"],
    queryFn: ({ signal }) => ask<SavedQueries>("v1/queries", { signal }),
    staleTime: Infinity,
  });
}

import { Button } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { SavedQuery } from "../api/answers-queries.ts";
import { ApiProblem } from "../api/api-problem.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { TextBlock } from "../parts/text.tsx";
import { useSession } from "../session/session-context.ts";
import { withLiterals } from "./literal-sql.ts";
import { inLink, keepDraft } from "./own-sql.ts";
import { ParameterForm, type Values } from "./parameter-form.tsx";
import { ResultOf } from "./result.tsx";
import { useSavedQueries } from "./saved-queries-page.tsx";
import styles from "./sql.module.css";
import { useRun } from "./use-run.ts";

const route = getRouteApi("/sql/saved/$name");

export function SavedQueryPage() {
  const { name } = route.useParams();
  const query = useSavedQueries().data?.queries.find(
    (each) => each.name === name,
  );
  return query === undefined ? (
    <Nothing title="There is no such saved query" />
  ) : (
    <Saved key={name} query={query} />
  );
}

/** One question. With parameters in the URL it is asked at once: so a link shows another one the same. */
function Saved({ query }: { readonly query: SavedQuery }) {
  const { name, title, description, parameters } = query;
  usePageTitle(title);
  const values = route.useSearch();
  const navigate = route.useNavigate();
  const [turn, setTurn] = useState(0);
  const isAsked = Object.keys(values).length > 0;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The list, where the focus was, has no room beside it.
    if (matchMedia("(width < 62rem)").matches) heading.current?.focus();
  }, []);
  const run = useRun(isAsked ? { kind: "saved", name, values, turn } : null);

  function start(given: Values): void {
    // Other values are another question by themselves; with both, the old one would be asked once more, too.
    if (isSame(given, values)) setTurn(turn + 1);
    else void navigate({ search: given });
  }

  const problems =
    run.kind === "failed" && run.error instanceof ApiProblem
      ? run.error.errors
      : [];
  return (
    <article className={styles.main} aria-labelledby="question">
      <header className={styles.question}>
        <h2 id="question" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <p>{description}</p>
      </header>
      <ParameterForm
        parameters={parameters}
        values={values}
        problems={problems}
        isRunning={run.kind === "running"}
        onRun={start}
      />
      <details className={styles.sql}>
        <summary>Its SQL</summary>
        <TextBlock text={query.sql} label="Its SQL" />
        <div className={styles.actions}>
          <CopyButton text={query.sql}>Copy</CopyButton>
          <OpenInEditor query={query} values={values} />
        </div>
      </details>
      <ResultOf run={run} name={name} />
    </article>
  );
}

function isSame(given: Values, values: Values): boolean {
  const names = Object.keys(given);
  return (
    names.length === Object.keys(values).length &&
    names.every((name) => given[name] === values[name])
  );
}

/** For operators: a tenant's key may not run SQL of its own. */
function OpenInEditor({
  query,
  values,
}: {
  readonly query: SavedQuery;
  readonly values: Values;
}) {
  const session = useSession();
  const navigate = useNavigate();
  if (session.caller.tenantId !== null) return null;
  return (
    <Button
      variant="default"
      size="xs"
      onClick={() => {
        const sql = withLiterals(query, values);
        keepDraft(session, sql);
        void navigate({ to: "/sql", search: inLink(sql) });
      }}
    >
      Open in the editor
    </Button>
  );
}

import { Button } from "@mantine/core";
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { usePageTitle } from "../parts/page-title.ts";
import { useSession } from "../session/session-context.ts";
import { useRowKeys } from "../shell/row-keys.ts";
import { shownBytes } from "../shown/amounts.ts";
import { Editor } from "./editor.tsx";
import { errorPosition } from "./error-position.ts";
import { insertText } from "./insert-text.ts";
import {
  inLink,
  keepDraft,
  keptDraft,
  linkBytes,
  MAX_LINK_BYTES,
} from "./own-sql.ts";
import { ResultOf } from "./result.tsx";
import { isRunKey } from "./run-key.ts";
import { SchemaList } from "./schema-list.tsx";
import { SqlModes } from "./sql-modes.tsx";
import styles from "./sql.module.css";
import { type Asked, useRun } from "./use-run.ts";

const route = getRouteApi("/sql");

/** SQL of one's own, for operators. */
export function OwnSqlPage() {
  const { caller } = useSession();
  return caller.tenantId === null ? (
    <OwnSql />
  ) : (
    <Navigate to="/sql/saved" replace />
  );
}

function OwnSql() {
  usePageTitle("SQL");
  const session = useSession();
  const { sql: linked } = route.useSearch();
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(() => linked ?? keptDraft(session));
  const [asked, setAsked] = useState<(Asked & { kind: "own" }) | null>(null);
  const run = useRun(asked);
  const editor = useRef<HTMLTextAreaElement>(null);
  const page = useRef<HTMLDivElement>(null);
  useRowKeys(page, "sql-text");
  useEffect(() => keepDraft(session, draft), [session, draft]);
  const ran = useRef<string | null>(null);
  useEffect(() => {
    // The browser's own buttons change it. After a run it changes, too, a moment later: what was typed meanwhile stays.
    if (linked !== undefined && linked !== ran.current) setDraft(linked);
    ran.current = null;
  }, [linked]);

  function start(): void {
    if (draft.trim() === "") return editor.current?.focus();
    setAsked({ kind: "own", sql: draft, turn: (asked?.turn ?? 0) + 1 });
    const search = inLink(draft);
    if (search.sql !== linked) ran.current = draft;
    void navigate({ search });
  }

  const isAsked = asked?.sql === draft;
  const position =
    run.kind === "failed" && isAsked
      ? errorPosition(run.error.message, draft)
      : null;
  return (
    <div ref={page} onKeyDown={(event) => isRunKey(event) && start()}>
      <SqlModes />
      <div className={styles.own}>
        <section className={styles.main} aria-label="Your own SQL">
          <Editor
            ref={editor}
            value={draft}
            position={position}
            onChange={setDraft}
          />
          <div className={styles.actions}>
            <Button onClick={start} disabled={run.kind === "running"}>
              Run
            </Button>
            <p id="sql-keys" className={styles.note}>
              <kbd>Ctrl</kbd> or <kbd>⌘</kbd> with <kbd>Enter</kbd> runs it.{" "}
              <kbd>Tab</kbd> indents; after <kbd>Esc</kbd> it leaves the field.
            </p>
          </div>
          <Limits />
          {linkBytes(draft) > MAX_LINK_BYTES && (
            <p className={styles.note} role="status">
              Too long for a link ({shownBytes(linkBytes(draft))} of{" "}
              {shownBytes(MAX_LINK_BYTES)}): the page&apos;s address does not
              hold this SQL.
            </p>
          )}
          {asked === null && linked !== undefined && linked === draft && (
            <p className={styles.note} role="status">
              This SQL came with the address. It runs when you say so.
            </p>
          )}
          <ResultOf
            run={run}
            name="query"
            isChanged={asked !== null && !isAsked}
            position={position}
            onGo={(offset) => {
              editor.current?.focus();
              editor.current?.setSelectionRange(offset, offset);
            }}
          />
        </section>
        <SchemaList
          onInsert={(name) =>
            editor.current !== null && insertText(editor.current, name)
          }
        />
      </div>
    </div>
  );
}

function Limits() {
  return (
    <details className={styles.limits}>
      <summary>What may be asked</summary>
      <ul>
        <li>
          One statement that reads: <code>SELECT</code>, <code>WITH</code>,{" "}
          <code>SHOW</code>, <code>DESCRIBE</code>, <code>EXISTS</code> or{" "}
          <code>EXPLAIN</code>, without <code>SETTINGS</code> and{" "}
          <code>FORMAT</code>.
        </li>
        <li>
          At most 10,000 rows and 8 MiB are answered; what is beyond is cut off,
          and the page says so.
        </li>
        <li>
          ClickHouse ends a query after control&apos;s{" "}
          <code>POSTRIDER_QUERY_TIMEOUT</code> (30 s where it is not set), and
          where it needs more than 2 GiB of memory.
        </li>
        <li>
          Read tables with <code>FINAL</code> where no row may count twice, and
          name a span of time: they are kept by day.
        </li>
      </ul>
    </details>
  );
}

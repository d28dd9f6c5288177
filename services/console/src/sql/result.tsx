import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import { Failure, Nothing } from "../parts/notices.tsx";
import { Done } from "./done.tsx";
import type { ErrorPosition } from "./error-position.ts";
import { ResultTable } from "./result-table.tsx";
import styles from "./result.module.css";
import type { Run } from "./use-run.ts";

/** What became of a run. */
export function ResultOf({
  run,
  name,
  isChanged = false,
  position = null,
  onGo,
}: {
  readonly run: Run;
  /** Of the files that it is saved as. */
  readonly name: string;
  /** Whether what is asked for has been changed since. */
  readonly isChanged?: boolean;
  readonly position?: ErrorPosition | null;
  readonly onGo?: (offset: number) => void;
}) {
  const [wantsChart, setWantsChart] = useState(false);
  switch (run.kind) {
    case "none":
      return null;
    case "cancelled":
      return (
        <Nothing title="Cancelled">
          <p>ClickHouse was told to stop. Nothing was changed.</p>
        </Nothing>
      );
    case "running":
      return (
        <>
          <Running onCancel={run.cancel} />
          {run.before !== null && <ResultTable result={run.before} isStale />}
        </>
      );
    case "failed":
      return (
        <div>
          <Failure error={run.error} />
          {position !== null && onGo !== undefined && (
            <Button variant="default" onClick={() => onGo(position.offset)}>
              Go to line {position.line}, column {position.column}
            </Button>
          )}
          <LimitHint error={run.error} />
        </div>
      );
    case "done":
      return (
        <Done
          result={run.result}
          name={name}
          isChanged={isChanged}
          wantsChart={wantsChart}
          onView={setWantsChart}
        />
      );
  }
}

function Running({ onCancel }: { readonly onCancel: () => void }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={styles.running}>
      <p role="status">Running…</p>
      {/* Not in what is read aloud, each second. */}
      <span aria-hidden="true">{seconds} s</span>
      <Button variant="default" size="xs" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

/** What to do where ClickHouse has ended a query at a limit. */
function LimitHint({ error }: { readonly error: Error }) {
  if (!(error instanceof ApiProblem) || error.status !== 400) return null;
  const hint = HINTS.find(([code]) =>
    error.message.includes(`(code ${code})`),
  )?.[1];
  return hint === undefined ? null : <p className={styles.note}>{hint}</p>;
}

const HINTS = [
  [
    159,
    "It took longer than control lets a query take (POSTRIDER_QUERY_TIMEOUT). Ask for a shorter span of time, or for one tenant.",
  ],
  [
    241,
    "It needs more memory than a query may have (2 GiB). Ask for a shorter span of time, or group by fewer values.",
  ],
  [
    396,
    "Its result is larger than a query's may be. Name the columns that you need, or add a LIMIT.",
  ],
] as const;

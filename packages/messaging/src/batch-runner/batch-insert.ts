/** Tries one insert until the table has answered it, and, if it was in doubt, until all its rows are known to be there. */
import type { AssignmentHost } from "./partition-host.ts";
import type { InsertVerdict } from "./batch-protocol.ts";
import type { Unavailable } from "./batch-target.ts";
import type { PartitionWaits } from "./partition-waits.ts";

/** How often to check whether the lease is valid again. */
const LEASE_POLL_MS = 100;

interface Insert<Row> {
  readonly rows: readonly Row[];
  readonly token: string;
}

export interface Inserting<Row> {
  readonly host: Pick<
    AssignmentHost<Row>,
    "topic" | "insert" | "mend" | "isLeaseValid" | "report"
  >;
  readonly waits: PartitionWaits;
  /** Stops fetching (true) while the table cannot take the batch. */
  readonly hold: (isHeld: boolean) => void;
}

/** Inserts as `insertUntilAnswered`. An insert that failed before is in doubt, so its rows are mended: they must all be of partitions of ours. */
export async function insertPatiently<Row>(
  insert: Insert<Row>,
  given: Inserting<Row>,
): Promise<InsertVerdict> {
  const { verdict, failures } = await insertUntilAnswered(insert, given);
  if (verdict.kind === "inserted" && failures > 0)
    await mendPatiently(insert, given);
  return verdict;
}

/**
 * Inserts, and retries until the table answers. Throws `Ended` if the assignment is over, or if a stop comes while it waits; the intent
 * stays, and the next owner repeats it.
 */
export async function insertUntilAnswered<Row>(
  { rows, token }: Insert<Row>,
  given: Inserting<Row>,
): Promise<{ readonly verdict: InsertVerdict; readonly failures: number }> {
  const { host } = given;
  const { answer: verdict, failures } = await untilAnswered(
    () => host.insert(rows, token),
    given,
  );
  if (verdict.kind === "refused") {
    const { detail } = verdict;
    host.report(
      { topic: host.topic },
      { kind: "rows_refused", rows: rows.length, detail },
    );
  } else
    host.report({ topic: host.topic }, { kind: "inserted", rows: rows.length });
  return { verdict, failures };
}

/** Puts back those of the rows that the table lacks, and retries until the table answers. Throws as `insertPatiently`. */
export async function mendPatiently<Row>(
  { rows, token }: Insert<Row>,
  given: Inserting<Row>,
): Promise<void> {
  const { host } = given;
  const { answer } = await untilAnswered(() => host.mend(rows, token), given);
  if (answer.rows > 0) host.report({ topic: host.topic }, answer);
}

async function untilAnswered<Row, Answer extends { readonly kind: string }>(
  ask: () => Promise<Answer | Unavailable>,
  { host, waits, hold }: Inserting<Row>,
): Promise<{ answer: Exclude<Answer, Unavailable>; failures: number }> {
  for (let failures = 0; ;) {
    // A member that was frozen (SIGSTOP, a paused VM) may have lost its partitions long ago, and the table may have forgotten the token since: the rows would be stored twice.
    while (!host.isLeaseValid()) {
      waits.reportProblem("lost contact with the group", false);
      await waits.sleep(LEASE_POLL_MS);
    }
    const answer = await waits.whileWaiting(ask);
    waits.throwIfEnded();
    if (!isUnavailable(answer)) {
      waits.resolveProblem();
      hold(false);
      return { answer: answer as Exclude<Answer, Unavailable>, failures };
    }
    failures++;
    host.report(
      { topic: host.topic },
      { kind: "unavailable", detail: answer.detail },
    );
    waits.reportProblem(answer.detail, answer.needsOperator);
    hold(true);
    await waits.backOff(failures, answer.waitMs);
  }
}

function isUnavailable(answer: {
  readonly kind: string;
}): answer is Unavailable {
  return answer.kind === "unavailable";
}

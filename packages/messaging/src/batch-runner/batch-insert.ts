/** Tries one insert until the table has answered it, and, if it was in doubt, until all its rows are known to be there. */
import type { PartitionHost } from "./partition-host.ts";
import type { InsertVerdict } from "./batch-protocol.ts";
import type { Unavailable } from "./batch-target.ts";
import type { PartitionWaits } from "./partition-waits.ts";

/** How often to check whether the lease is valid again. */
const LEASE_POLL_MS = 100;

interface Insert<Row> {
  readonly rows: readonly Row[];
  readonly token: string;
  /** Its intent was found on assignment: nobody knows whether the insert was tried. */
  readonly isInDoubt: boolean;
}

interface Given<Row> {
  readonly host: Pick<
    PartitionHost<Row>,
    "insert" | "mend" | "isLeaseValid" | "report"
  >;
  readonly waits: PartitionWaits;
  /** Stops fetching (true) while the table cannot take the batch. */
  readonly hold: (isHeld: boolean) => void;
}

/** Inserts, and retries until the table answers. Throws `Ended` if the assignment is over, or if a stop comes while it waits; the intent stays, and the next owner repeats it. */
export async function insertPatiently<Row>(
  { rows, token, isInDoubt }: Insert<Row>,
  given: Given<Row>,
): Promise<InsertVerdict> {
  const { host } = given;
  const { answer, failures } = await untilAnswered(
    () => host.insert(rows, token),
    given,
  );
  if (answer.kind === "refused") {
    const { detail } = answer;
    host.report({ kind: "rows_refused", rows: rows.length, detail });
    return answer;
  }
  host.report({ kind: "inserted", rows: rows.length });
  if (isInDoubt || failures > 0) {
    const { answer: mended } = await untilAnswered(
      () => host.mend(rows, token),
      given,
    );
    if (mended.rows > 0) host.report(mended);
  }
  return answer;
}

async function untilAnswered<Row, Answer extends { readonly kind: string }>(
  ask: () => Promise<Answer | Unavailable>,
  { host, waits, hold }: Given<Row>,
): Promise<{ answer: Exclude<Answer, Unavailable>; failures: number }> {
  for (let failures = 0; ;) {
    // A member that was frozen (SIGSTOP, a paused VM) may have lost the partition long ago, and the table may have forgotten the token since: the rows would be stored twice.
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
    host.report({ kind: "unavailable", detail: answer.detail });
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

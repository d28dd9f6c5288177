/** One insert, until the table has answered it. */
import type { PartitionHost } from "./batch-host.ts";
import type { InsertVerdict } from "./batch-protocol.ts";
import type { Patience } from "./patience.ts";

/** How often to look whether the lease runs again. */
const LEASE_POLL_MS = 100;

/** `hold`: fetching stops while the table cannot take the batch. Throws `Ended` when the assignment is over, or a stop does not wait. */
export async function insertPatiently<Row>(
  insert: { readonly rows: readonly Row[]; readonly token: string },
  given: {
    readonly host: Pick<
      PartitionHost<Row>,
      "insert" | "isLeaseValid" | "report"
    >;
    readonly patience: Patience;
    readonly hold: (isHeld: boolean) => void;
  },
): Promise<InsertVerdict> {
  const { rows, token } = insert;
  const { host, patience, hold } = given;
  for (let failures = 1; ; failures++) {
    // A member that was frozen may have lost the partition long ago, and the token's window may have passed since.
    while (!host.isLeaseValid()) {
      patience.say("lost contact with the group", false);
      await patience.sleep(LEASE_POLL_MS);
    }
    const result = await patience.outside(() => host.insert(rows, token));
    patience.mustGoOn();
    if (result.kind !== "unavailable") {
      patience.clear();
      hold(false);
      if (result.kind === "inserted")
        host.report({ kind: "inserted", rows: rows.length });
      else
        host.report({
          kind: "rows_refused",
          rows: rows.length,
          detail: result.detail,
        });
      return result;
    }
    host.report({ kind: "unavailable", detail: result.detail });
    patience.say(result.detail, result.needsOperator);
    hold(true);
    await patience.backOff(failures, result.waitMs);
  }
}

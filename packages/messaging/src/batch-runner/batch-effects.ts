/** The side effects of the intent protocol in one assignment: each is tried until it is acknowledged, or the assignment is over. */
import { insertPatiently } from "./batch-insert.ts";
import type { BatchEffects } from "./batch-protocol.ts";
import type { InsertLinger } from "./insert-linger.ts";
import { encodeIntent } from "./intent-metadata.ts";
import type { AssignmentHost } from "./partition-host.ts";
import type { PartitionWaits } from "./partition-waits.ts";

export function batchEffects<Row>(given: {
  readonly host: AssignmentHost<Row>;
  readonly waits: PartitionWaits;
  /** Measures the inserts. */
  readonly linger: InsertLinger;
  /** Stops fetching (true) while the table cannot take a batch. */
  readonly hold: (isHeld: boolean) => void;
}): BatchEffects<Row> {
  const { host, waits, linger, hold } = given;
  const { reducedRowOf } = host;
  const timed: AssignmentHost<Row> = {
    ...host,
    insert: (rows, token) => linger.time(() => host.insert(rows, token)),
  };
  return {
    commit: async (commits) => {
      waits.throwIfEnded();
      const list = commits.map(({ partition, offset, intent }) => ({
        topic: host.topic,
        partition,
        offset,
        metadata: intent === null ? "" : encodeIntent(intent),
      }));
      await waits.persist(() => host.commit(list));
    },
    insert: (rows, token) =>
      insertPatiently({ rows, token }, { host: timed, waits, hold }),
    refuse: async (entries, at) => {
      await waits.whileWaiting(() => host.refuse(entries, at));
      waits.throwIfEnded();
    },
    ...(reducedRowOf === undefined ? {} : { reducedRowOf }),
    waitForTable: async (detail) => {
      waits.reportProblem(detail, true);
      await waits.backOff(Infinity);
    },
  };
}

/**
 * Writes to the topics of which control is the one writer. Invariant: writes run one after another, and each starts from what
 * the tables show after the write before it was read back. A write that fails half-way ends the tenure (the period in
 * which this process is the writer, ownership.ts). The next tenure begins with a new producer, before which Kafka ends what the old
 * one had open (fenced-producer.ts), and with the tables read to their ends.
 */
import {
  FencedError,
  type ProducerRecord,
  type RecordPosition,
} from "@postrider/messaging";
import { LATE, within } from "@postrider/runtime";
import type { Ownership, Tenure } from "./ownership.ts";
import { ControlProblem } from "../http/problem.ts";

export interface TenureWriter {
  /** Runs one piece of work at a time, in order of arrival. Rejects with the problem `busy` if too many wait already. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** As `inTurn`, but only while nothing waits there, and never `busy`: for work of which each running resume, replay and re-encryption has one piece at most. */
  inSpareTurn<T>(work: () => Promise<T>): Promise<T>;
  /** The current tenure. Throws the problem `not_owner` if this process is not the owner now. */
  owner(): Tenure;
  /**
   * Writes all records or none, and resolves once they were read back. `requireShown` throws if the tables do not show them: a
   * table skips a record that it cannot decode, and waits with one whose schema it does not know. `tenure` is the one in which the
   * tables were read: once it has ended, another owner may have written since. Call it within `inTurn`. Throws the problems
   * `not_owner` and `write_uncertain`.
   */
  write(
    tenure: Tenure,
    records: readonly ProducerRecord[],
    requireShown: () => void,
  ): Promise<void>;
}

export interface TenureWriterOptions {
  readonly ownership: Pick<Ownership, "tenure">;
  /** Resolves once the table of this place has read past it. Whether the table could take the record, `requireShown` finds out. */
  readonly readBack: (place: RecordPosition) => Promise<void>;
  /** The longest time from sending records until they are read back. Default 10 s. */
  readonly writeTimeoutMs?: number;
}

/** Bounds memory. The write that runs counts, too. */
const MAX_UNFINISHED_WRITES = 256;
const RETRY_SOON = { "retry-after": "1" };

export function createTenureWriter(options: TenureWriterOptions): TenureWriter {
  const { ownership, readBack, writeTimeoutMs = 10_000 } = options;

  async function sendAndReadBack(
    { producer }: Tenure,
    records: readonly ProducerRecord[],
  ): Promise<void> {
    for (const place of await producer.send(records)) await readBack(place);
  }

  return {
    ...createTurns(MAX_UNFINISHED_WRITES),
    owner() {
      const tenure = ownership.tenure();
      if (tenure === null) throw notOwner();
      return tenure;
    },
    async write(tenure, records, requireShown) {
      if (ownership.tenure() !== tenure) throw notOwner();
      try {
        const confirmed = sendAndReadBack(tenure, records);
        if ((await within(confirmed, writeTimeoutMs)) === LATE)
          throw new Error(`not confirmed within ${writeTimeoutMs} ms`);
        requireShown();
      } catch (cause) {
        throw failed(tenure, cause);
      }
    },
  };
}

/** Runs one piece of work at a time, in order of arrival; what has no hurry runs when nothing else waits. */
function createTurns(
  maxUnfinished: number,
): Pick<TenureWriter, "inTurn" | "inSpareTurn"> {
  const waiting: (() => Promise<unknown>)[] = [];
  const spare: (() => Promise<unknown>)[] = [];
  let isRunning = false;
  let unfinished = 0;

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    for (;;) {
      const work = waiting.shift() ?? spare.shift();
      if (work === undefined) break;
      await work();
    }
    isRunning = false;
  }

  async function queued<T>(
    queue: (() => Promise<unknown>)[],
    work: () => Promise<T>,
  ): Promise<T> {
    const turn = Promise.withResolvers<T>();
    queue.push(async () => {
      try {
        turn.resolve(await work());
      } catch (error) {
        turn.reject(error);
      }
    });
    void run();
    return await turn.promise;
  }

  return {
    async inTurn(work) {
      if (unfinished >= maxUnfinished)
        throw new ControlProblem(
          "busy",
          `${unfinished} writes are unfinished already.`,
          { headers: RETRY_SOON },
        );
      unfinished += 1;
      try {
        return await queued(waiting, work);
      } finally {
        unfinished -= 1;
      }
    },
    inSpareTurn: (work) => queued(spare, work),
  };
}

/** Ends the tenure, and returns the problem that tells the caller whether the write may have happened. A fenced write has not: Kafka refused it (`FencedError`). */
function failed(tenure: Tenure, cause: unknown): ControlProblem {
  if (cause instanceof FencedError) {
    tenure.fail("another replica has become the owner");
    return notOwner(cause);
  }
  tenure.fail(`a write failed: ${String(cause)}`);
  return new ControlProblem(
    "write_uncertain",
    "The write was sent and not confirmed. Read what is stored before you try again.",
    { headers: RETRY_SOON, cause },
  );
}

function notOwner(cause?: unknown): ControlProblem {
  return new ControlProblem(
    "not_owner",
    "Another replica is the writer, or none is yet. Nothing was written; try again.",
    { headers: RETRY_SOON, cause },
  );
}

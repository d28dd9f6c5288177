/**
 * The replays as the topic `control` has them, and the writes that change them. Invariant: a checkpoint never takes a place back,
 * whatever happened to the replay while a run was sending.
 */
import {
  controlEntry,
  type ControlEntry,
  type EpochMs,
  type Replay,
} from "@postrider/core";
import type { OutRecord, ProducerRecord } from "@postrider/messaging";
import type { Clock, Log } from "@postrider/runtime";
import type {
  AuditAction,
  AuditFact,
  AuditTrail,
} from "../audit/audit-trail.ts";
import { ownCause, type Cause } from "../audit/cause.ts";
import { ControlProblem } from "../http/problem.ts";
import type { TenureWriter } from "../writer/tenure-writer.ts";
import {
  advanced,
  isFinal,
  steered,
  visibleTo,
  type Progress,
} from "./replay.ts";

export interface ReplayStore {
  get(id: string): Replay | undefined;
  /** In no order. */
  all(): Replay[];
  /** Called with the replay's id after each change. */
  onChange(listener: (id: string) => void): void;
  /** Stores a new replay, as later than all that are not done. Throws the problem `conflict` while too many are not done. */
  create(replay: Replay, by: Cause): Promise<Replay>;
  /** By hand. Throws the problem `conflict` where the replay is done or cancelled. `undefined` if there is no such replay. */
  steer(
    id: string,
    action: "pause" | "resume" | "cancel",
    by: Cause,
  ): Promise<Replay | undefined>;
  /** Stores what a run has done, with a record in `audit` for each delivery that it left out and that its receiver may lack. */
  checkpoint(
    id: string,
    progress: Progress,
    lacking: readonly LeftOut[],
  ): Promise<Replay | undefined>;
  /** Says what a running replay waits for. */
  note(id: string, detail: string): Promise<void>;
  /** Ends a replay for good, if it is still running. */
  done(id: string): Promise<void>;
}

/** A selected event and endpoint that nothing was sent for. */
export interface LeftOut {
  readonly tenantId: string;
  readonly eventId: string;
  readonly endpointId: string;
  readonly reason: string;
}

export interface ReplayStoreOptions {
  readonly tenureWriter: TenureWriter;
  readonly table: {
    get(key: string): ControlEntry | undefined;
    entries(): Iterable<readonly [string, ControlEntry]>;
    onChange(listener: (key: string) => void): unknown;
  };
  readonly encode: (record: OutRecord) => Buffer;
  /** Full name. */
  readonly topic: string;
  readonly audit: AuditTrail;
  /** What is written with the end of a replay that is done, in the same transaction. */
  readonly alsoWrittenAtEnd: (replay: Replay) => ProducerRecord;
  readonly clock: Clock;
  readonly log: Log;
}

const KEY_START = "replay:";
/** Of those without a tenant, and of those of all tenants. Each may wait for others, and every look at one goes through all. */
const MAX_UNFINISHED = 100;
/** So that one tenant leaves room to others. */
const MAX_UNFINISHED_OF_TENANT = 25;
/** As long as the rows that tell what it has sent. */
const KEPT_MS = 30 * 24 * 3_600_000;
/** The table of `control` is in the memory of every replica. */
const MAX_FINISHED = 1_000;
/** What one write removes at most. */
const MAX_REMOVED = 100;

export function createReplayStore(options: ReplayStoreOptions): ReplayStore {
  const { tenureWriter, table, encode, topic, audit, clock, log } = options;
  const { inTurn, inSpareTurn, owner } = tenureWriter;

  const get = (id: string): Replay | undefined =>
    table.get(KEY_START + id)?.replay ?? undefined;
  const all = (): Replay[] =>
    [...table.entries()].flatMap(([, { replay }]) =>
      replay == null ? [] : [replay],
    );

  function recordOf(id: string, replay: Replay | null): ProducerRecord {
    const key = KEY_START + id;
    const value =
      replay === null
        ? null
        : encode({
            topic: "control",
            key,
            value: controlEntry({ replay }),
          });
    return { topic, partition: 0, key: Buffer.from(key), value };
  }

  /** Changes the stored replay in turn. Where `apply` returns the replay itself, nothing is written. What runs write waits for what people do. */
  async function change(
    id: string,
    apply: (stored: Replay) => Replay,
    more: (next: Replay) => readonly ProducerRecord[],
    turn: TenureWriter["inTurn"] = inTurn,
  ): Promise<Replay | undefined> {
    return await turn(async () => {
      const tenure = owner();
      const stored = get(id);
      if (stored === undefined) return undefined;
      const next = apply(stored);
      if (next === stored) return stored;
      const records = [recordOf(id, next), ...more(next)];
      await tenureWriter.write(tenure, records, () => {
        if (get(id) === stored)
          throw new Error("the table does not show the replay after it");
      });
      if (next.state !== stored.state) report(next);
      return next;
    });
  }

  function report({ id, state, detail, sent, leftOut, total }: Replay): void {
    log.info("replay.changed", { id, state, detail, sent, leftOut, total });
  }

  function removable(now: number): string[] {
    const endOf = ({ finishedAt }: Replay): number => finishedAt ?? now;
    return all()
      .filter(isFinal)
      .toSorted((a, b) => endOf(b) - endOf(a))
      .filter((each, at) => at >= MAX_FINISHED || endOf(each) < now - KEPT_MS)
      .slice(-MAX_REMOVED)
      .map(({ id }) => id);
  }

  return {
    get,
    all,
    onChange: (listener) =>
      void table.onChange((key) => {
        if (key.startsWith(KEY_START)) listener(key.slice(KEY_START.length));
      }),
    create: (asked, by) =>
      inTurn(async () => {
        const tenure = owner();
        const unfinished = all().filter((each) => !isFinal(each));
        refuseTooMany(asked, unfinished);
        const replay = { ...asked, createdAt: laterThan(unfinished, asked) };
        const { selection, selectedAt, ratePerSecond, total } = replay;
        const fact = audit.recordOf({
          ...factOf(replay, by, "created"),
          detail: { selection, selectedAt, ratePerSecond, total },
        });
        const removed = removable(clock.now()).map((id) => recordOf(id, null));
        await tenureWriter.write(
          tenure,
          [recordOf(replay.id, replay), fact, ...removed],
          () => {
            if (get(replay.id) === undefined)
              throw new Error("the table does not show the replay after it");
          },
        );
        report(replay);
        return replay;
      }),
    steer: (id, action, by) =>
      change(
        id,
        (stored) => {
          const next = steered(stored, action, clock.now());
          if (next === null) throw isOver(stored, action);
          return next;
        },
        (next) => [audit.recordOf(factOf(next, by, PAST_TENSE[action]))],
      ),
    checkpoint: (id, progress, lacking) =>
      change(
        id,
        (stored) => advanced(stored, progress),
        (next) =>
          lacking.map((each) => audit.recordOf(leftOutFact(next, each))),
        inSpareTurn,
      ),
    async note(id, detail) {
      await change(
        id,
        (stored) =>
          stored.state !== "running" || stored.detail === detail
            ? stored
            : { ...stored, detail },
        () => [],
        inSpareTurn,
      );
    },
    async done(id) {
      await change(
        id,
        (stored) =>
          stored.state === "running"
            ? {
                ...stored,
                state: "done",
                detail: "",
                finishedAt: clock.now(),
              }
            : stored,
        (next) => [
          audit.recordOf({
            ...factOf(next, ownCause(""), "done"),
            detail: { sent: next.sent, leftOut: next.leftOut },
          }),
          options.alsoWrittenAtEnd(next),
        ],
        inSpareTurn,
      );
    },
  };
}

const PAST_TENSE = {
  pause: "paused",
  resume: "resumed",
  cancel: "cancelled",
} as const;

/**
 * When the replay was made: the order of these times says which one waits. One that begins does not look at those that come later, so no
 * later one may have an earlier time, or the same: also if both were asked for in one millisecond, or the last owner's clock was ahead.
 */
function laterThan(
  unfinished: readonly Replay[],
  { createdAt }: Replay,
): EpochMs {
  return unfinished.reduce(
    (latest, other) => Math.max(latest, other.createdAt + 1),
    createdAt,
  );
}

function factOf(replay: Replay, by: Cause, action: AuditAction): AuditFact {
  const { id, sent } = replay;
  const { actor, why, requestId } = by;
  return {
    actor,
    tenantId: visibleTo(replay),
    subject: "replay",
    subjectId: id,
    action,
    why,
    requestId,
    detail: { sent },
  };
}

/** The tenant is that of the event: who may see it may see this, too. */
function leftOutFact(replay: Replay, leftOut: LeftOut): AuditFact {
  const { tenantId, eventId, endpointId, reason } = leftOut;
  return {
    ...factOf(replay, ownCause(""), "left_out"),
    tenantId,
    detail: { eventId, endpointId, reason },
  };
}

function refuseTooMany(
  { tenantId }: Replay,
  unfinished: readonly Replay[],
): void {
  const own = unfinished.filter((each) => each.tenantId === tenantId).length;
  const ofTenants = unfinished.filter((each) => each.tenantId !== null).length;
  if (tenantId === null) {
    if (own >= MAX_UNFINISHED) throw tooMany("without a tenant", own);
  } else if (own >= MAX_UNFINISHED_OF_TENANT)
    throw tooMany(`of the tenant ${tenantId}`, own);
  else if (ofTenants >= MAX_UNFINISHED)
    throw tooMany("of all tenants together", ofTenants);
}

function tooMany(which: string, count: number): ControlProblem {
  return new ControlProblem(
    "conflict",
    `${count} replays ${which} are not done yet. Wait for one, or cancel one.`,
    {
      errors: [
        {
          field: "replays",
          rule: "max",
          message: `must be at most ${count} ${which} that are not done`,
        },
      ],
    },
  );
}

function isOver({ id, state }: Replay, action: string): ControlProblem {
  return new ControlProblem(
    "conflict",
    `Replay ${id} is ${state}: there is nothing to ${action}.`,
    {
      errors: [{ field: "state", rule: "unfinished", message: `is ${state}` }],
    },
  );
}

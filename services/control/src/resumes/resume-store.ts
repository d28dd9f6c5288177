/**
 * The resumes as the topic `control` has them, and the writes that change them. Invariant: a checkpoint never takes a position
 * back, whatever happened to the resume while a run was sending.
 */
import { randomBytes } from "node:crypto";
import {
  controlEntry,
  type ControlEntry,
  type Endpoint,
  type Resume,
} from "@postrider/core";
import type { OutRecord, ProducerRecord } from "@postrider/messaging";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import { LATE, within, type Clock, type Log } from "@postrider/runtime";
import { ControlProblem } from "../http/problem.ts";
import {
  advanced,
  finished,
  hasRest,
  reachingTo,
  resumeAfter,
  started,
  unsentOf,
  type DeadLetterLog,
  type Progress,
} from "./resume.ts";
import { resumeFact } from "./resume-fact.ts";
import type { TenureWriter } from "../writer/tenure-writer.ts";

export interface ResumeStore {
  /** The endpoint's resume; `undefined` if it was never paused. */
  get(endpointId: string): Resume | undefined;
  /** The resumes that are running. */
  running(): Resume[];
  /** Called with the endpoint's id after each change. */
  onChange(listener: (endpointId: string) => void): void;
  /** For `EndpointWriter`: what a change of the endpoint makes of its resume. */
  alsoWritten(
    before: Endpoint,
    after: Endpoint | null,
  ): Promise<readonly ProducerRecord[]>;
  /** Goes on with the resume of an enabled endpoint where it stopped; one that is running goes on as it is. Resolves to it; `undefined` if the endpoint was never paused. */
  restart(endpointId: string, cause: Cause): Promise<Resume | undefined>;
  /** Stops the resume; what it has not sent stays parked. Throws the problem `conflict` if none runs. */
  cancel(endpointId: string, cause: Cause): Promise<Resume>;
  /** Stores what a run has done. Resolves to the resume, which may be another one by now; `undefined` if it is gone with its endpoint. */
  checkpoint(
    endpointId: string,
    progress: Progress,
  ): Promise<Resume | undefined>;
  /** The resume with the log's ends as they are now. They are stored with the next checkpoint, except for what a checkpoint needs: places that were added, and what was lost. */
  reach(endpointId: string, log: DeadLetterLog): Promise<Resume | undefined>;
  /** Ends a resume for good, if it still is the one that runs. */
  done(endpointId: string, id: string): Promise<void>;
}

export interface ResumeStoreOptions {
  readonly tenureWriter: TenureWriter;
  readonly table: {
    get(key: string): ControlEntry | undefined;
    entries(): Iterable<readonly [string, ControlEntry]>;
    onChange(listener: (key: string) => void): unknown;
  };
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly encode: (record: OutRecord) => Buffer;
  /** Full name. */
  readonly topic: string;
  readonly deadLetterLog: () => Promise<DeadLetterLog>;
  readonly auditTrail: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
}

const KEY_START = "resume:";
const ANSWER_WITHIN_MS = 5_000;

export function createResumeStore(options: ResumeStoreOptions): ResumeStore {
  const { tenureWriter, table, encode, topic, clock, log } = options;
  const { inTurn, inSpareTurn, owner } = tenureWriter;

  const get = (endpointId: string): Resume | undefined =>
    table.get(KEY_START + endpointId)?.resume ?? undefined;

  function recordOf(endpointId: string, resume: Resume | null): ProducerRecord {
    const id = KEY_START + endpointId;
    const key = Buffer.from(id);
    const value =
      resume === null
        ? null
        : encode({
            topic: "control",
            key: id,
            value: controlEntry({ resume }),
          });
    return { topic, partition: 0, key, value };
  }

  /** Changes the stored resume in turn. Where `apply` returns the resume itself, nothing is written. What runs write waits for what people do. */
  async function change(
    endpointId: string,
    apply: (stored: Resume) => Resume,
    how: {
      readonly turn?: TenureWriter["inTurn"];
      /** What else is written with it, in the same transaction. */
      readonly also?: (before: Resume, after: Resume) => ProducerRecord;
    } = {},
  ): Promise<Resume | undefined> {
    const { turn = inTurn, also } = how;
    return await turn(async () => {
      const tenure = owner();
      const stored = get(endpointId);
      if (stored === undefined) return undefined;
      const next = apply(stored);
      if (next === stored) return stored;
      const records = [recordOf(endpointId, next)];
      if (also !== undefined) records.push(also(stored, next));
      await tenureWriter.write(tenure, records, () => {
        if (get(endpointId) === stored)
          throw new Error("the table does not show the resume after it");
      });
      if (next.state !== stored.state) report(next);
      return next;
    });
  }

  /** The log's ends for a pause, which must not keep the other writes waiting. */
  async function answered(): Promise<DeadLetterLog> {
    try {
      const found = await within(options.deadLetterLog(), ANSWER_WITHIN_MS);
      if (found !== LATE) return found;
      throw new Error(`no answer within ${ANSWER_WITHIN_MS} ms`);
    } catch (cause) {
      throw new ControlProblem(
        "kafka_unavailable",
        "Where dead-letters ends could not be asked for, so nothing was written; try again.",
        { headers: { "retry-after": "1" }, cause },
      );
    }
  }

  const audited =
    (action: Parameters<typeof resumeFact>[0], cause: Cause) =>
    (before: Resume, after: Resume): ProducerRecord =>
      options.auditTrail.recordOf(resumeFact(action, { before, after }, cause));

  function report(resume: Resume): void {
    const { endpointId, id, state, detail, sent } = resume;
    log.info("resume.changed", { endpointId, id, state, detail, sent });
  }

  function reportDeleted(endpointId: string): void {
    const detail = "the endpoint was deleted";
    log.info("resume.changed", { endpointId, state: "ended", detail });
  }

  return {
    get,
    running: () =>
      [...table.entries()].flatMap(([, { resume }]) =>
        resume?.state === "running" ? [resume] : [],
      ),
    onChange: (listener) =>
      void table.onChange((key) => {
        if (key.startsWith(KEY_START)) listener(key.slice(KEY_START.length));
      }),
    async alsoWritten(before, after) {
      const stored = get(before.id);
      const next = await resumeAfter({
        before,
        after,
        stored,
        log: answered,
        newId,
        now: clock.now(),
      });
      if (next === stored || (next === null && stored === undefined)) return [];
      if (next === null) reportDeleted(before.id);
      else if (next !== undefined) report(next);
      return [recordOf(before.id, next ?? null)];
    },
    async restart(endpointId, cause) {
      const isDone = get(endpointId)?.state === "done";
      const deadLetters = isDone ? await answered() : null;
      const goOn = (found: Resume): Resume => {
        const endpoint = options.endpoints.get(endpointId);
        // A resume that is done looks once more, too: it finds nothing, or what a process that was cut off parked late. What
        // the log has lost since it was done, it does not miss.
        const stored =
          found.state === "done" && deadLetters !== null
            ? reachingTo(found, deadLetters)
            : found;
        return endpoint?.state === "enabled" &&
          (hasRest(stored) || stored.state === "done")
          ? started(stored, {
              id: newId(),
              endpointVersion: endpoint.version,
              now: clock.now(),
            })
          : found;
      };
      return await change(endpointId, goOn, {
        also: audited("resume_restarted", cause),
      });
    },
    async cancel(endpointId, cause) {
      const stop = (stored: Resume): Resume => {
        if (stored.state === "cancelled") return stored;
        if (stored.state !== "running") throw notRunning(stored);
        return finished(stored, "cancelled", "by hand", clock.now());
      };
      const cancelled = await change(endpointId, stop, {
        also: audited("resume_cancelled", cause),
      });
      if (cancelled === undefined) throw neverPaused(endpointId);
      return cancelled;
    },
    checkpoint: (endpointId, progress) =>
      change(endpointId, (stored) => advanced(stored, progress), {
        turn: inSpareTurn,
      }),
    async reach(endpointId, deadLetters) {
      const stored = get(endpointId);
      if (stored === undefined) return undefined;
      const next = reachingTo(stored, deadLetters);
      if (!mustBeStored(stored, next)) return next;
      if (next.lost > stored.lost)
        log.error("resume.deadLettersLost", {
          endpointId,
          offsets: next.lost - stored.lost,
          action:
            "These dead letters are older than the retention of dead-letters. Publish the events of that time again if the endpoint needs them.",
        });
      return await change(endpointId, (now) => reachingTo(now, deadLetters), {
        turn: inSpareTurn,
      });
    },
    async done(endpointId, id) {
      await change(
        endpointId,
        (stored) =>
          stored.id === id && stored.state === "running"
            ? finished(stored, "done", unsentOf(stored), clock.now())
            : stored,
        { turn: inSpareTurn },
      );
    },
  };
}

function mustBeStored(stored: Resume, next: Resume): boolean {
  return (
    next.partitions !== stored.partitions ||
    next.places.length !== stored.places.length ||
    next.lost !== stored.lost
  );
}

function newId(): string {
  return `rsm_${randomBytes(18).toString("base64url")}`;
}

function notRunning({ endpointId, state }: Resume): ControlProblem {
  const detail =
    state === "parked"
      ? `Endpoint ${endpointId} is paused, and no resume of it was started.`
      : `The resume of endpoint ${endpointId} is ${state} already.`;
  return new ControlProblem("conflict", detail, {
    errors: [{ field: "state", rule: "running", message: `is ${state}` }],
  });
}

/** The problem for an endpoint that has no resume. */
export function neverPaused(endpointId: string): ControlProblem {
  return new ControlProblem(
    "not_found",
    `Endpoint ${endpointId} was never paused, so there is nothing to resume.`,
    { errors: [{ field: "id", rule: "paused", message: "was never paused" }] },
  );
}

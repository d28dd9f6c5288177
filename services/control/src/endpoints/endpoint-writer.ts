/**
 * The only way in which an endpoint changes. Invariant: writes run one after another, and each starts from the version that
 * the table shows after the write before it was read back. So versions go up by one, and every reader will see what the
 * caller was told. A write that fails half-way ends the tenure (the period in which this process is the writer, ownership.ts).
 * The next tenure begins with a new producer, before which Kafka ends what the old one had open (fenced-producer.ts), and with
 * the table read to its end.
 */
import type { Endpoint, EpochMs } from "@postrider/core";
import {
  FencedError,
  UnfitValueError,
  type FencedProducer,
  type ProducerRecord,
  type RecordPosition,
} from "@postrider/messaging";
import { type CommonProblem, invalid } from "@postrider/http";
import { LATE, within, type Clock, type Log } from "@postrider/runtime";
import type { EndpointCreation } from "./endpoint-input.ts";
import { newEndpoint } from "./endpoint.ts";
import type { Ownership } from "./ownership.ts";
import { ControlProblem } from "../http/problem.ts";
import type { SecretMaker } from "./secret-maker.ts";

export interface EndpointWriter {
  /** Resolves to the endpoint and its plain secret. The plain secret cannot be read again later. */
  create(
    creation: EndpointCreation,
  ): Promise<{ readonly endpoint: Endpoint; readonly secret: string }>;
  /** Writes the result of `apply` and resolves to it. When `apply` returns the endpoint itself, nothing is written. */
  change(
    id: string,
    condition: VersionCondition,
    apply: (endpoint: Endpoint, now: EpochMs) => Endpoint,
  ): Promise<Endpoint>;
  remove(id: string, condition: VersionCondition): Promise<void>;
}

/** The version that the change is meant for; `any` accepts the current version. */
export type VersionCondition = number | "any";

/** This process's copy of the `endpoints` topic. */
export interface EndpointTable {
  get(id: string): Endpoint | undefined;
  entries(): Iterable<readonly [string, Endpoint]>;
  /** Resolves once the table has read past this position. Whether it could take the record, `get` shows. */
  readTo(position: RecordPosition): Promise<void>;
}

export interface EndpointWriterOptions {
  readonly ownership: Pick<Ownership, "tenure">;
  readonly table: EndpointTable;
  /** The record that stores an endpoint; for null its tombstone. Throws `UnfitValueError` when the endpoint does not fit its schema. */
  readonly recordOf: (id: string, endpoint: Endpoint | null) => ProducerRecord;
  readonly secrets: SecretMaker;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** The longest time from sending a record until it is read back. Default 10 s. */
  readonly writeTimeoutMs?: number;
}

/** Bounds memory. The write that runs counts, too. */
const MAX_UNFINISHED_WRITES = 256;
const RETRY_SOON = { "retry-after": "1" };

export function createEndpointWriter(
  options: EndpointWriterOptions,
): EndpointWriter {
  const { ownership, table, clock, log } = options;
  const inTurn = createTurns(MAX_UNFINISHED_WRITES);

  async function write(id: string, endpoint: Endpoint | null): Promise<void> {
    const tenure = ownership.tenure();
    if (tenure === null) throw notOwner();
    // Encoded before anything is sent, so that a value that cannot be encoded does not end the tenure.
    const record = encoded(id, endpoint);
    try {
      const timeoutMs = options.writeTimeoutMs ?? 10_000;
      const confirmed = sendAndReadBack(tenure.producer, record);
      if ((await within(confirmed, timeoutMs)) === LATE)
        throw new Error(`not confirmed within ${timeoutMs} ms`);
      requireShown(table.get(id)?.version, endpoint?.version);
    } catch (cause) {
      tenure.fail(
        cause instanceof FencedError
          ? "another replica has become the owner"
          : `a write failed: ${String(cause)}`,
      );
      throw problemOf(cause);
    }
    log.info("endpoint.written", {
      endpointId: id,
      version: endpoint?.version ?? null,
      state: endpoint?.state ?? "deleted",
    });
  }

  async function sendAndReadBack(
    producer: FencedProducer,
    record: ProducerRecord,
  ): Promise<void> {
    const written = await producer.send([record]);
    for (const place of written) await table.readTo(place);
  }

  function encoded(id: string, endpoint: Endpoint | null): ProducerRecord {
    try {
      return options.recordOf(id, endpoint);
    } catch (error) {
      if (!(error instanceof UnfitValueError)) throw error;
      const { field, rule } = error;
      log.error("endpoint.unfit", { endpointId: id, field, rule });
      throw unfit(error);
    }
  }

  function current(id: string, condition: VersionCondition): Endpoint {
    if (ownership.tenure() === null) throw notOwner();
    const endpoint = table.get(id);
    if (endpoint === undefined) throw unknownEndpoint(id);
    if (condition !== "any" && condition !== endpoint.version)
      throw staleVersion(endpoint, condition);
    return endpoint;
  }

  return {
    create: (creation) =>
      inTurn(async () => {
        if (ownership.tenure() === null) throw notOwner();
        refuseTakenExternalId(table, creation.tenantId, creation.externalId);
        const id = options.newId();
        const { plain, sealed } = options.secrets.make(
          creation.tenantId,
          id,
          creation.secret === undefined
            ? { type: creation.secretType ?? "hmac" }
            : { secret: creation.secret },
        );
        const endpoint = newEndpoint(id, creation, sealed);
        await write(id, endpoint);
        return { endpoint, secret: plain };
      }),
    change: (id, condition, apply) =>
      inTurn(async () => {
        const before = current(id, condition);
        const after = apply(before, clock.now());
        if (after === before) return before;
        if (after.externalId !== before.externalId)
          refuseTakenExternalId(table, after.tenantId, after.externalId);
        await write(id, after);
        return after;
      }),
    remove: (id, condition) =>
      inTurn(async () => {
        current(id, condition);
        await write(id, null);
      }),
  };
}

/** Runs one piece of work at a time, in order of arrival. */
function createTurns(
  maxUnfinished: number,
): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let unfinished = 0;
  return async (work) => {
    if (unfinished >= maxUnfinished)
      throw new ControlProblem(
        "busy",
        `${unfinished} writes are unfinished already.`,
        {
          headers: RETRY_SOON,
        },
      );
    unfinished += 1;
    const turn = last.then(work);
    last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      unfinished -= 1;
    }
  };
}

function refuseTakenExternalId(
  table: EndpointTable,
  tenantId: string,
  externalId: string | null,
): void {
  if (externalId === null) return;
  for (const [id, other] of table.entries())
    if (other.tenantId === tenantId && other.externalId === externalId)
      throw new ControlProblem(
        "conflict",
        `Endpoint ${id} has this externalId.`,
        {
          errors: [
            {
              field: "externalId",
              rule: "unique",
              message: `is the externalId of ${id}`,
            },
          ],
        },
      );
}

/** The table skips a record that it cannot decode, and waits with one whose schema it does not know. */
function requireShown(
  shown: number | undefined,
  written: number | undefined,
): void {
  if (shown === written) return;
  const nameOf = (version = 0): string =>
    version === 0 ? "no endpoint" : `version ${version}`;
  throw new Error(
    `the table shows ${nameOf(shown)} after it, not ${nameOf(written)}`,
  );
}

/** Tells the caller whether the write may have happened. A fenced write has not: Kafka refused it (`FencedError`). */
function problemOf(cause: unknown): ControlProblem {
  if (cause instanceof FencedError) return notOwner(cause);
  return new ControlProblem(
    "write_uncertain",
    "The write was sent and not confirmed. Read the endpoint before you try again.",
    { headers: RETRY_SOON, cause },
  );
}

/** The endpoint passed our rules (endpoint-input.ts) but not its schema: a gap in the rules, and so our bug, but only the caller can avoid the value. Asking again would give the same answer. */
function unfit({ field, rule }: UnfitValueError): CommonProblem {
  return invalid([{ field, rule: "schema", message: `must be ${rule}` }]);
}

function notOwner(cause?: unknown): ControlProblem {
  return new ControlProblem(
    "not_owner",
    "Another replica is the writer, or none is yet. Nothing was written; try again.",
    { headers: RETRY_SOON, cause },
  );
}

export function unknownEndpoint(id: string): ControlProblem {
  return new ControlProblem("not_found", `There is no endpoint ${id}.`, {
    errors: [{ field: "id", rule: "exists", message: "is not an endpoint" }],
  });
}

function staleVersion(endpoint: Endpoint, given: number): ControlProblem {
  return new ControlProblem(
    "stale_version",
    `Version ${given} was expected; the endpoint is at ${endpoint.version}.`,
    {
      errors: [
        {
          field: "if-match",
          rule: "current",
          message: `must be "${endpoint.version}"`,
        },
      ],
      headers: { etag: `"${endpoint.version}"` },
    },
  );
}

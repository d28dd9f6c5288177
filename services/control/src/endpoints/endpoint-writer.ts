/**
 * The only way in which an endpoint changes. Invariant: each change starts from the version that the table shows after the
 * change before it was read back (tenure-writer.ts). So versions go up by one, and every reader will see what the caller was told.
 */
import type { Endpoint, EpochMs } from "@postrider/core";
import { UnfitValueError, type ProducerRecord } from "@postrider/messaging";
import { type CommonProblem, invalid } from "@postrider/http";
import type { Clock, Log } from "@postrider/runtime";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import type { EndpointCreation } from "./endpoint-input.ts";
import { endpointFact } from "./endpoint-fact.ts";
import {
  type EndpointTable,
  refuseTakenExternalId,
  visibleEndpoint,
} from "./endpoint-table.ts";
import { newEndpoint } from "./endpoint.ts";
import type { HeaderSeal } from "./header-seal.ts";
import type { VersionCondition } from "../http/if-match.ts";
import { ControlProblem } from "../http/problem.ts";
import type { Tenure } from "../writer/ownership.ts";
import type { SecretMaker } from "./secret-maker.ts";
import { refuseTooLongFilters } from "./tenant-filters.ts";
import type { TenureWriter } from "../writer/tenure-writer.ts";

export interface EndpointWriter {
  /** Resolves to the endpoint and its plain secret. The plain secret cannot be read again later. */
  create(
    creation: EndpointCreation,
    cause: Cause,
  ): Promise<{ readonly endpoint: Endpoint; readonly secret: string }>;
  /** Writes the result of `apply` and resolves to it. `apply` gets the endpoint with its headers opened (header-seal.ts); when it returns the endpoint itself, nothing is written. */
  change(
    id: string,
    terms: ChangeTerms,
    apply: (endpoint: Endpoint, now: EpochMs) => Endpoint,
  ): Promise<Endpoint>;
  remove(id: string, terms: ChangeTerms): Promise<void>;
  /**
   * Writes the endpoint as `seal` returns it, when no other write waits. It is the same version as before: what the endpoint is, and
   * what it sends, stays. Resolves to false where `seal` returns the endpoint itself, or the endpoint is gone.
   */
  reseal(
    id: string,
    cause: Cause,
    seal: (endpoint: Endpoint) => Endpoint,
  ): Promise<boolean>;
}

/** What a change is meant for, and on whose behalf it is made. */
export interface ChangeTerms {
  readonly condition: VersionCondition;
  /** The one tenant whose endpoints may be changed; null: every tenant's. An endpoint of another tenant counts as none. */
  readonly callersTenant: string | null;
  readonly cause: Cause;
}

export interface EndpointWriterOptions {
  readonly tenureWriter: TenureWriter;
  readonly table: EndpointTable;
  /** The record that stores an endpoint; for null its tombstone. Throws `UnfitValueError` when the endpoint does not fit its schema. */
  readonly recordOf: (id: string, endpoint: Endpoint | null) => ProducerRecord;
  /** What else is written with a change, in the same transaction; `after` is null for a deletion. */
  readonly alsoWritten: (
    before: Endpoint,
    after: Endpoint | null,
  ) => Promise<readonly ProducerRecord[]>;
  readonly auditTrail: AuditTrail;
  readonly secrets: SecretMaker;
  readonly headerSeal: HeaderSeal;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEndpointWriter(
  options: EndpointWriterOptions,
): EndpointWriter {
  const { tenureWriter, table, headerSeal, clock, log } = options;
  const { inTurn, inSpareTurn, owner } = tenureWriter;

  /** The change and its audit record are one transaction: neither can be without the other. No header's value is written in the clear. */
  async function write(
    tenure: Tenure,
    change: Parameters<typeof endpointFact>[0] & { readonly cause: Cause },
    also: readonly ProducerRecord[] = [],
  ): Promise<void> {
    const { after, cause } = change;
    const endpoint = after && headerSeal.seal(after);
    const fact = endpointFact(change, cause);
    const id = fact.subjectId;
    // Encoded before anything is sent, so that a value that cannot be encoded does not end the tenure.
    const records = [
      encoded(id, endpoint),
      ...also,
      options.auditTrail.recordOf(fact),
    ];
    await tenureWriter.write(tenure, records, () =>
      requireShown(table.get(id), endpoint),
    );
    log.info("endpoint.written", {
      endpointId: id,
      version: endpoint?.version ?? null,
      state: endpoint?.state ?? "deleted",
      action: fact.action,
      actor: cause.actor,
      requestId: cause.requestId,
    });
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

  function current(
    id: string,
    { condition, callersTenant }: ChangeTerms,
  ): Endpoint {
    const endpoint = visibleEndpoint(table, id, callersTenant);
    if (condition !== "any" && condition !== endpoint.version)
      throw staleVersion(endpoint, condition);
    return headerSeal.open(endpoint);
  }

  return {
    create: (creation, cause) =>
      inTurn(async () => {
        const tenure = owner();
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
        refuseTooLongFilters(table, endpoint);
        await write(tenure, { before: null, after: endpoint, cause });
        return { endpoint, secret: plain };
      }),
    change: (id, terms, apply) =>
      inTurn(async () => {
        const tenure = owner();
        const before = current(id, terms);
        const { cause } = terms;
        const after = apply(before, clock.now());
        if (after === before) return before;
        if (after.externalId !== before.externalId)
          refuseTakenExternalId(table, after.tenantId, after.externalId);
        if (after.filter !== before.filter) refuseTooLongFilters(table, after);
        const also = await options.alsoWritten(before, after);
        await write(tenure, { before, after, cause }, also);
        return after;
      }),
    remove: (id, terms) =>
      inTurn(async () => {
        const tenure = owner();
        const before = current(id, terms);
        const { cause } = terms;
        const also = await options.alsoWritten(before, null);
        await write(tenure, { before, after: null, cause }, also);
      }),
    reseal: (id, cause, seal) =>
      inSpareTurn(async () => {
        const tenure = owner();
        const before = table.get(id);
        if (before === undefined) return false;
        const after = seal(before);
        if (after === before) return false;
        await write(tenure, { before, after, cause });
        return true;
      }),
  };
}

/** A re-encryption keeps the version, so the keys are compared as well. */
function requireShown(
  shown: Endpoint | undefined,
  written: Endpoint | null,
): void {
  const nameOf = (endpoint: Endpoint | null = null): string =>
    endpoint === null ? "no endpoint" : `version ${endpoint.version}`;
  const keysOf = (endpoint: Endpoint | null = null): string =>
    [
      ...(endpoint?.secrets ?? []),
      ...Object.values(endpoint?.sealedHeaders ?? {}),
    ]
      .map(({ kid }) => kid)
      .join(", ");
  if (nameOf(shown) === nameOf(written)) {
    if (keysOf(shown) === keysOf(written)) return;
    throw new Error(
      `the table shows the keys ${keysOf(shown)} after it, not ${keysOf(written)}`,
    );
  }
  throw new Error(
    `the table shows ${nameOf(shown)} after it, not ${nameOf(written)}`,
  );
}

/** The endpoint passed our rules (endpoint-input.ts) but not its schema: a gap in the rules, and so our bug, but only the caller can avoid the value. Asking again would give the same answer. */
function unfit({ field, rule }: UnfitValueError): CommonProblem {
  return invalid([{ field, rule: "schema", message: `must be ${rule}` }]);
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

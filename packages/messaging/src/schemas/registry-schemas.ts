/**
 * Schemas of a Confluent-compatible registry. We use its client only for look-ups and registration. Decoding is ours, because the
 * client's `decode` builds type and resolver again at every call (docs/kafkajs.md, "The registry client").
 */
import {
  COMPATIBILITY,
  SchemaRegistry,
  SchemaType,
} from "@kafkajs/confluent-schema-registry";
import type { MonotonicMs } from "@postrider/core";
import type { WriterSchema } from "./avro-codec.ts";
import { LOGICAL_TYPES } from "./avro-json.ts";
import type { Clock, Log, RegistryAccess } from "@postrider/runtime";

export interface RegistrySchemas {
  /** Returns the schema's id under the subject; registers the schema if it is new there. Tries once: rejects if the registry does not answer or refuses the schema. */
  register(subject: string, json: string): Promise<number>;
  /** Answers from memory. An id that is not known yet gives `unknown` and is looked up in the background; ask again later. */
  byId(id: number): WriterSchema;
}

export interface RegistrySchemasOptions {
  readonly registry: RegistryAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** How long after a 404 (`absentMs`) or a failed look-up (`failedMs`) the registry is not asked for the same id. Default 10 s, 1 s. */
  readonly absentMs?: number;
  readonly failedMs?: number;
}

/** Look-ups at once, at most: garbage that begins with a zero byte names random ids. */
const MAX_LOOK_UPS = 4;
const MAX_REMEMBERED = 10_000;

export function createRegistrySchemas(
  options: RegistrySchemasOptions,
): RegistrySchemas {
  const { clock, log, absentMs = 10_000, failedMs = 1000 } = options;
  const { url, agent, authorization } = options.registry;
  // No retries in the client: our callers ask again.
  const client = new SchemaRegistry(
    {
      host: url.replace(/\/+$/, ""),
      retry: { retries: 0 },
      agent,
      middlewares: [signedIn(authorization)],
    },
    // So that a decimal still has its scale where a schema's type is written out again below.
    { [SchemaType.AVRO]: { logicalTypes: LOGICAL_TYPES } },
  );
  const found = new Map<number, WriterSchema>();
  const missed = new Map<
    number,
    { readonly schema: WriterSchema; readonly until: MonotonicMs }
  >();
  const looking = new Set<number>();

  async function lookUp(id: number): Promise<void> {
    try {
      const schema = await client.getSchema(id);
      found.set(
        id,
        isAvro(schema)
          ? // The client returns avsc's type; as JSON that is its schema.
            { kind: "found", json: JSON.stringify(schema) }
          : {
              kind: "absent",
              detail: `schema ${id} of the registry is not Avro`,
            },
      );
    } catch (error) {
      const isAbsent = statusOf(error) === 404;
      if (missed.size >= MAX_REMEMBERED) missed.clear();
      missed.set(id, {
        schema: isAbsent
          ? { kind: "absent", detail: `the registry has no schema ${id}` }
          : { kind: "unknown" },
        until: clock.monotonic() + (isAbsent ? absentMs : failedMs),
      });
      if (!isAbsent)
        log.warn("registry.failed", { schemaId: id, error: String(error) });
    }
  }

  return {
    async register(subject, json) {
      const schema = { type: SchemaType.AVRO as const, schema: json };
      // The client refuses to register if the subject's compatibility rule is not the one passed. So try ours first, then each other rule.
      for (const compatibility of RULES) {
        try {
          const options = { subject, compatibility };
          return (await client.register(schema, options)).id;
        } catch (error) {
          if (!isOtherRule(error)) throw error;
        }
      }
      throw new Error(`subject ${subject} has a compatibility rule of its own`);
    },
    byId(id) {
      const known = found.get(id);
      if (known !== undefined) return known;
      const miss = missed.get(id);
      if (miss !== undefined && miss.until > clock.monotonic())
        return miss.schema;
      if (!looking.has(id) && looking.size < MAX_LOOK_UPS) {
        looking.add(id);
        void lookUp(id).finally(() => looking.delete(id));
      }
      return { kind: "unknown" };
    },
  };
}

/** Of JSON and Protobuf schemas the client returns classes of its own. */
function isAvro(schema: object): boolean {
  return "typeName" in schema;
}

type RequestMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]
>[number];

/** Adds the header of the moment to each request: a password or token may have changed since the last one. */
function signedIn(authorization: () => string | null): RequestMiddleware {
  return () => ({
    async prepareRequest(next) {
      const request = await next();
      const value = authorization();
      return value === null
        ? request
        : request.enhance({ headers: { authorization: value } });
    },
  });
}

const RULES = [
  COMPATIBILITY.FULL_TRANSITIVE,
  ...Object.values(COMPATIBILITY).filter(
    (rule) => rule !== COMPATIBILITY.FULL_TRANSITIVE,
  ),
];

function isOtherRule(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === "ConfluentSchemaRegistryCompatibilityError"
  );
}

function statusOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "status" in error
    ? error.status
    : undefined;
}

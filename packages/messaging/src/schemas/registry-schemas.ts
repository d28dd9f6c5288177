/**
 * Schemas of a Confluent-compatible registry. Its client is used to register, and to read a schema that refers to others. Decoding
 * is ours, because the client's `decode` builds type and resolver again at every call; look-ups are ours, because the client takes
 * any 404 for the registry's (docs/kafkajs.md, "The registry client").
 */
import {
  COMPATIBILITY,
  SchemaRegistry,
  SchemaType,
} from "@kafkajs/confluent-schema-registry";
import {
  LATE,
  within,
  type Clock,
  type Log,
  type RegistryAccess,
} from "@postrider/runtime";
import type { WriterSchema } from "./avro-codec.ts";
import { LOGICAL_TYPES } from "./avro-json.ts";
import { createLookUps, type LookUpsOptions } from "./registry-look-ups.ts";
import { getFromRegistry, type RegistryAnswer } from "./registry-request.ts";

export interface RegistrySchemas {
  /** Returns the schema's id under the subject; registers the schema if it is new there. Tries once: rejects if the registry does not answer or refuses the schema. The id is known from then on. */
  register(subject: string, json: string): Promise<number>;
  /** Answers from memory. An id that is not known yet gives `unknown` and is looked up in the background; ask again later. */
  byId(id: number): WriterSchema;
  /** Why the registry cannot be asked now, as a sentence; null if its last answer was one, or nothing has failed for a minute. */
  problem(): string | null;
}

export interface RegistrySchemasOptions extends Pick<
  LookUpsOptions,
  "absentMs" | "failedMs"
> {
  readonly registry: RegistryAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** How long one request may take, ms. Default 5 s. */
  readonly requestMs?: number;
}

export function createRegistrySchemas(
  options: RegistrySchemasOptions,
): RegistrySchemas {
  const { registry, clock, log, requestMs = 5000 } = options;
  const { absentMs, failedMs } = options;
  const { url, agent, authorization } = registry;
  const newClient = (): SchemaRegistry =>
    new SchemaRegistry(
      {
        host: url.replace(/\/+$/, ""),
        // Our callers ask again.
        retry: { retries: 0 },
        agent,
        middlewares: [asWeAre(authorization, requestMs)],
      },
      // So that a decimal still has its scale where a schema's type is written out again below.
      { [SchemaType.AVRO]: { logicalTypes: LOGICAL_TYPES } },
    );
  const client = newClient();
  const lookUps = createLookUps({ ask, clock, log, absentMs, failedMs });

  async function ask(id: number): Promise<WriterSchema> {
    const path = `/schemas/ids/${id}`;
    const answer = await getFromRegistry(registry, path, requestMs);
    if (isNoSuchSchema(answer))
      return { kind: "absent", detail: `the registry has no schema ${id}` };
    const { body, status } = answer;
    if (status !== 200 || !isSchema(body))
      throw new Error(`${path} was answered with ${status}${saidIn(body)}`);
    if ((body.schemaType ?? "AVRO") !== "AVRO")
      return {
        kind: "absent",
        detail: `schema ${id} of the registry is not Avro`,
      };
    if ((body.references ?? []).length === 0)
      return { kind: "found", json: body.schema };
    // A client waits for ever for the answer that broke off before, under the same id. So each look-up has its own.
    // It returns avsc's type, which holds what the schema refers to; as JSON that is its schema.
    const whole = await inTime(newClient().getSchema(id), requestMs);
    return { kind: "found", json: JSON.stringify(whole) };
  }

  return {
    async register(subject, json) {
      const schema = { type: SchemaType.AVRO as const, schema: json };
      // The client refuses to register if the subject's compatibility rule is not the one passed. So try ours first, then each other rule.
      for (const compatibility of RULES) {
        try {
          const registering = client.register(schema, {
            subject,
            compatibility,
          });
          const { id } = await inTime(registering, requestMs * 3);
          lookUps.learn(id, { kind: "found", json });
          return id;
        } catch (error) {
          if (!isOtherRule(error)) throw inWords(error, url);
        }
      }
      throw new Error(`subject ${subject} has a compatibility rule of its own`);
    },
    byId: (id) =>
      // Four bytes of garbage; no registry gives such an id.
      id < 0
        ? { kind: "absent", detail: `${id} is no id of a registry` }
        : lookUps.byId(id),
    problem: () => lookUps.problem(),
  };
}

/** The registry itself says that it has no such schema. A 404 of a proxy, or for a wrong path, has no such code. */
function isNoSuchSchema({ status, body }: RegistryAnswer): boolean {
  if (status !== 404 || typeof body !== "object" || body === null) return false;
  return "error_code" in body && /^404\d\d$/.test(String(body.error_code));
}

interface SchemaAnswer {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly unknown[];
}

function isSchema(body: unknown): body is SchemaAnswer {
  return (
    typeof body === "object" &&
    body !== null &&
    "schema" in body &&
    typeof body.schema === "string"
  );
}

/** What an answer that is none says, for the log. */
function saidIn(body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return text === "" ? "" : `: ${text.slice(0, 200)}`;
}

/** The client has no deadline of its own, and an answer that breaks off never ends for it. */
async function inTime<T>(asking: Promise<T>, ms: number): Promise<T> {
  const answer = await within(asking, ms);
  if (answer === LATE) throw new Error(`no answer within ${ms} ms`);
  return answer;
}

/** Where a connection fails at several addresses of a host, Node's error has no message, and the client makes a status of it. */
function inWords(error: unknown, url: string): unknown {
  if (!String(error).endsWith("Error, status 400")) return error;
  const told = `${url} cannot be reached at any address, or answers 400 without a word`;
  return new Error(told, { cause: error });
}

type RequestMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]
>[number];

/** Adds the header of the moment to each request (a password or token may have changed since the last one), and ends a request that takes too long. */
function asWeAre(
  authorization: RegistryAccess["authorization"],
  requestMs: number,
): RequestMiddleware {
  return () => ({
    async prepareRequest(next) {
      const request = await next();
      const value = authorization();
      return request.enhance({
        signal: AbortSignal.timeout(requestMs),
        ...(value !== null && { headers: { authorization: value } }),
      });
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

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { text as readStream } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { OWN_STACK } from "./addresses.ts";
import { CliError, EXIT, reasonOf, type ExitCode } from "./cli-error.ts";

export interface ApiAddress {
  readonly url: string;
  readonly adminKey: string;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Includes the query string; ids in it must be escaped. */
  readonly path: string;
  /** JSON text, sent unchanged. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Sends one request to control or ingest. Resolves to the answer's JSON object (null after a DELETE). Throws `CliError` with the API's own message. */
export async function callApi(
  address: ApiAddress,
  request: ApiRequest,
): Promise<unknown> {
  const { status, text } = await callSuccessfully(address, request);
  if (text === "" && request.method === "DELETE") return null;
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // It is told below what came instead.
  }
  throw brokenAnswer(status, text, request);
}

/** As `callApi`, but resolves to the answer's text, which is JSON: parsing would round a 64-bit integer. */
export async function callApiForText(
  address: ApiAddress,
  request: ApiRequest,
): Promise<string> {
  const { status, text } = await callSuccessfully(address, request);
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw brokenAnswer(status, text, request);
  }
}

/** Of control's replicas only one may write, and for some seconds after it has died none. */
const OWNER_WITHIN_MS = 20_000;
const OWNER_EVERY_MS = 500;

/** Asks again where a replica answers that it may not write: nothing was written then, and the next connection may reach another one. */
async function callSuccessfully(
  address: ApiAddress,
  request: ApiRequest,
): Promise<Answer> {
  const until = performance.now() + OWNER_WITHIN_MS;
  for (;;) {
    const answer = await send(address, request);
    const { status, text } = answer;
    if (status >= 200 && status < 300) return answer;
    if (!isNotOwner(text) || performance.now() > until)
      throw refusal(status, text, request);
    await sleep(OWNER_EVERY_MS);
  }
}

function isNotOwner(text: string): boolean {
  return parseProblem(text).type === "urn:postrider:problem:not-owner";
}

/** A success that no API of ours gives: something else answers at the address, or stands between. What became of the request is not known. */
function brokenAnswer(
  status: number,
  text: string,
  { method, path }: ApiRequest,
): CliError {
  return new CliError(
    EXIT.failed,
    `${method} ${path} was answered ${status} with something else than JSON of Postrider.`,
    {
      why: text === "" ? "the answer is empty" : text.slice(0, 500),
      next: `npx postrider status   (and see whether the URL is that of the service; ${OWN_STACK})`,
    },
  );
}

/** Escapes an id for use as one segment of a path. An id of dots only has its dots escaped, too; otherwise `..` would mean the parent path. */
export function pathSegment(id: string): string {
  if (id === "") throw new CliError(EXIT.usage, "The id is empty.");
  const escaped = encodeURIComponent(id);
  return /^\.+$/.test(escaped) ? escaped.replaceAll(".", "%2E") : escaped;
}

const TIMEOUT_MS = 60_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Uses node:http, because `fetch` removes the segments `.` and `..` from a path, even if they are escaped. */
async function send(
  address: ApiAddress,
  { method, path, body, headers }: ApiRequest,
): Promise<Answer> {
  try {
    const base = new URL(address.url);
    const request = base.protocol === "https:" ? httpsRequest : httpRequest;
    return await new Promise((resolve, reject) => {
      request(base, {
        method,
        // A connection of its own, so that it may reach another replica than the one before.
        agent: false,
        path: `${base.pathname.replace(/\/$/, "")}${path}`,
        headers: {
          authorization: `Bearer ${address.adminKey}`,
          ...(body === undefined
            ? {}
            : {
                "content-type": "application/json",
                "content-length": Buffer.byteLength(body),
              }),
          ...headers,
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
        .once("error", reject)
        .once("response", (response) => {
          const { statusCode: status = 0 } = response;
          readStream(response).then(
            (text) => resolve({ status, text }),
            reject,
          );
        })
        // As bytes: with a text, node would write the headers in the text's encoding, too.
        .end(body === undefined ? undefined : Buffer.from(body));
    });
  } catch (cause) {
    throw new CliError(EXIT.unreachable, `${address.url} cannot be reached.`, {
      why: reasonOf(cause),
      next: `npx postrider status   (or start a stack: npx postrider dev; ${OWN_STACK})`,
      cause,
    });
  }
}

interface FieldError {
  readonly field: string;
  readonly rule?: string;
  readonly message: string;
}

interface ProblemDocument {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
}

/** The API answered with an error. */
export class ApiRefusal extends CliError {
  readonly status: number;
  readonly errors: readonly FieldError[];

  constructor(
    status: number,
    errors: readonly FieldError[],
    what: string,
    more: { readonly why?: string; readonly next?: string | undefined },
  ) {
    super(exitCodeOf(status), what, more);
    this.status = status;
    this.errors = errors;
  }
}

/** True where the key is valid, and may not do this. */
export function isForbidden(error: unknown): error is ApiRefusal {
  return error instanceof ApiRefusal && error.status === 403;
}

function refusal(
  status: number,
  text: string,
  request: ApiRequest,
): ApiRefusal {
  const problem = parseProblem(text);
  const errors = problem.errors ?? [];
  const { detail = "" } = problem;
  const next = nextAfter(status, request.path, errors);
  if (status === 404 && detail !== "") {
    // The title and the other errors say only that it is not there, as the detail does.
    const whose = errors.filter(isOfOthers).map(({ message }) => message);
    return new ApiRefusal(status, errors, detail, {
      ...(whose.length > 0 && { why: whose.join("\n") }),
      next,
    });
  }
  const why = [
    ...(detail === "" ? [] : [detail]),
    ...errors
      .filter(({ field, message }) => !detail.startsWith(`${field} ${message}`))
      .map(lineOf)
      .filter((line) => !detail.startsWith(line)),
  ].join("\n");
  return new ApiRefusal(
    status,
    errors,
    `${problem.title ?? "The request was refused"} (${status}).`,
    {
      why: why === "" ? `${request.method} ${request.path}` : why,
      next,
    },
  );
}

/** One field problem as a line for people. An entry without a field of its own (the count of further problems) is its message alone. */
export function lineOf({ field, message }: FieldError): string {
  return field === "" ? message : `${field}: ${message}`;
}

/** True where an endpoint's URL is refused by policy. */
export function isUrlRefusal(error: unknown): error is ApiRefusal {
  return error instanceof ApiRefusal && error.errors.some(isUrlPolicy);
}

/** True for a URL refused by policy (https only, public addresses only), which an operator may loosen. */
function isUrlPolicy(error: FieldError): boolean {
  const isUrl = error.field === "url" || error.field.endsWith(".url");
  return isUrl && (error.rule === "scheme" || error.rule === "address");
}

const ALLOW =
  "npx postrider doctor address URL   (which rule refuses it, and what to set where the services are started)";

/** True where a saved query took too long or too much memory. */
function isTooMuch({ field, rule = "" }: FieldError): boolean {
  return field === "since" && rule.startsWith("clickhouse_");
}

const LESS =
  "Ask for less: a shorter window (--param since=1h), or one tenant (--param tenant=TENANT).";

/** True where a tenant has it and the request named none, or another. */
function isOfOthers({ field, rule }: FieldError): boolean {
  return field === "tenantId" && rule === "other_tenant";
}

/** True where several tenants have it. */
function isAmbiguous({ field, rule }: FieldError): boolean {
  return field === "tenantId" && rule === "required";
}

/** True where an event is not recorded that a request names beside its path. */
function isUnknownEvent({ field, rule }: FieldError): boolean {
  return field === "eventId" && rule === "exists";
}

const SAY_WHOSE = "The same command with --tenant TENANT";
const FIND_EVENT =
  "npx postrider events explain EVENT   (where it may be, and whose it is)";

/** What to do next after a status, for requests whose path begins with `path`. */
const NEXT: readonly (readonly [status: number, path: string, next: string])[] =
  [
    [
      400,
      "/v1/query",
      'npx postrider query "SHOW TABLES"   (and "DESCRIBE attempts")',
    ],
    [
      400,
      "/v1/queries/",
      "npx postrider query --list   (each saved query with its parameters)",
    ],
    [400, "/v1/audit", "npx postrider audit list --help"],
    [
      401,
      "/",
      "Set POSTRIDER_ADMIN_KEY to the stack's key, or to any key that is valid there, or run this below the folder where `npx postrider dev` runs.",
    ],
    [
      403,
      "/",
      "Set POSTRIDER_ADMIN_KEY to a key that may do this. An administrator makes one: npx postrider keys create --help",
    ],
    [404, "/v1/keys/", "npx postrider keys list"],
    [404, "/v1/endpoints/", "npx postrider endpoints list"],
    [404, "/v1/event-types/", "npx postrider event-types list"],
    [404, "/v1/events/", FIND_EVENT],
    [404, "/v1/deliveries/", "npx postrider deliveries list"],
    [404, "/v1/queries/", "npx postrider query --list"],
    [404, "/v1/replays/", "npx postrider replay list"],
    [409, "/v1/replays", "npx postrider replay list   (the state of each)"],
    [
      412,
      "/v1/event-types/",
      "Read it again, then repeat the change: npx postrider event-types get NAME",
    ],
    [
      412,
      "/",
      "Read it again, then repeat the change: npx postrider endpoints get ID",
    ],
    [
      503,
      "/",
      "npx postrider status   (on a stack of your own: the service's /readyz)",
    ],
  ];

function nextAfter(
  status: number,
  path: string,
  errors: readonly FieldError[],
): string | undefined {
  if (errors.some(isUrlPolicy)) return ALLOW;
  if (errors.some(isTooMuch)) return LESS;
  if (status === 404 && errors.some(isOfOthers)) return SAY_WHOSE;
  if (status === 409 && errors.some(isAmbiguous)) return SAY_WHOSE;
  if (status === 404 && errors.some(isUnknownEvent)) return FIND_EVENT;
  return NEXT.find(
    ([of, start]) => of === status && path.startsWith(start),
  )?.[2];
}

function exitCodeOf(status: number): ExitCode {
  if (status === 404) return EXIT.notFound;
  if (status === 502 || status === 503 || status === 504)
    return EXIT.unreachable;
  return status >= 500 ? EXIT.failed : EXIT.refused;
}

function parseProblem(text: string): ProblemDocument {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return text === "" ? {} : { detail: text.slice(0, 500) };
  }
}

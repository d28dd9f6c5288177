import { CliError, EXIT, reasonOf, type ExitCode } from "./cli-error.ts";

export interface ApiAddress {
  readonly url: string;
  readonly adminKey: string;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With the query string; ids escaped. */
  readonly path: string;
  /** JSON text, sent as it is. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One request to control or ingest; resolves to the answer's JSON (null when it is empty). Throws `CliError` with what the API said. */
export async function callApi(
  address: ApiAddress,
  request: ApiRequest,
): Promise<unknown> {
  const text = await callApiForText(address, request);
  return text === "" ? null : JSON.parse(text);
}

/** The same, with the answer's text as it came: a 64-bit integer would not survive parsing. */
export async function callApiForText(
  address: ApiAddress,
  request: ApiRequest,
): Promise<string> {
  const response = await send(address, request);
  const text = await response.text();
  if (response.ok) return text;
  throw refusal(response.status, text, request);
}

async function send(
  address: ApiAddress,
  request: ApiRequest,
): Promise<Response> {
  try {
    return await fetch(`${address.url}${request.path}`, {
      method: request.method,
      headers: {
        authorization: `Bearer ${address.adminKey}`,
        ...(request.body === undefined
          ? {}
          : { "content-type": "application/json" }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.timeout(60_000),
    });
  } catch (cause) {
    throw new CliError(EXIT.unreachable, `${address.url} cannot be reached.`, {
      why: reasonOf(cause),
      next: "npx postrider status   (or start a stack: npx postrider dev)",
      cause,
    });
  }
}

interface ProblemDocument {
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly {
    readonly field: string;
    readonly rule?: string;
    readonly message: string;
  }[];
}

function refusal(status: number, text: string, request: ApiRequest): CliError {
  const problem = parseProblem(text);
  const errors = problem.errors ?? [];
  const why = [
    ...(problem.detail === undefined ? [] : [problem.detail]),
    ...errors
      .map(({ field, message }) =>
        field === "" ? message : `${field}: ${message}`,
      )
      .filter((line) => !(problem.detail ?? "").startsWith(line)),
  ].join("\n");
  return new CliError(
    exitCodeOf(status),
    `${problem.title ?? "The request was refused"} (${status}).`,
    {
      why: why === "" ? `${request.method} ${request.path}` : why,
      next: errors.some(isUrlPolicy) ? ALLOW : nextAfter(status, request.path),
    },
  );
}

/** https only, public addresses only: what an operator may loosen. */
function isUrlPolicy(error: {
  readonly field: string;
  readonly rule?: string;
}): boolean {
  const isUrl = error.field === "url" || error.field.endsWith(".url");
  return isUrl && (error.rule === "scheme" || error.rule === "address");
}

const ALLOW =
  "To allow it, set POSTRIDER_ALLOW_CIDRS (addresses) or POSTRIDER_ALLOW_HTTP=true where the services are started.";

/** What to do after a status, on the paths that begin so. */
const NEXT: readonly (readonly [status: number, path: string, next: string])[] =
  [
    [
      400,
      "/v1/query",
      'npx postrider query "SHOW TABLES"   (and "DESCRIBE attempts")',
    ],
    [
      401,
      "/",
      "Set POSTRIDER_ADMIN_KEY to the stack's key, or run this below the folder where `npx postrider dev` runs.",
    ],
    [404, "/v1/endpoints/", "npx postrider endpoints list"],
    [
      404,
      "/v1/events/",
      'npx postrider query "SELECT tenant_id, event_id, decision FROM events ORDER BY received_at DESC LIMIT 10"',
    ],
    [
      412,
      "/",
      "Read it again, then repeat the change: npx postrider endpoints get ID",
    ],
    [503, "/", "npx postrider status"],
  ];

function nextAfter(status: number, path: string): string | undefined {
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

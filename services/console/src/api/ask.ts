import { noAnswer, problemOf } from "./api-problem.ts";

export type Query = Readonly<Record<string, string | undefined>>;

export interface Asked {
  readonly query?: Query;
  /** Default: POST with a body, GET without one. */
  readonly method?: "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The version that a change is meant for; another one is refused (412). */
  readonly ifMatch?: number;
  /** Why, for the audit trail. */
  readonly why?: string;
  readonly signal?: AbortSignal;
  /** Reads the answer, and throws where it is none. Default: as JSON, which rounds numbers beyond 2^53. */
  readonly parse?: (text: string) => unknown;
}

/** Asks the API with one key. `path` is relative to the page, such as `v1/deliveries`: so the console works below any path. Throws an `ApiProblem`. */
export type Ask = <T>(path: string, asked?: Asked) => Promise<T>;

export function askWith(
  key: string,
  send: typeof fetch = (...request) => fetch(...request),
): Ask {
  return async <T>(path: string, asked: Asked = {}): Promise<T> => {
    const { body, why, ifMatch, signal, parse = JSON.parse } = asked;
    const hasBody = body !== undefined;
    const { method = hasBody ? "POST" : "GET" } = asked;
    const failed = (error: unknown): never => {
      throw signal?.aborted === true ? error : noAnswer(error);
    };
    const response = await send(withQuery(path, asked.query), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(hasBody && { "content-type": "application/json" }),
        ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
        ...(why && { "x-audit-reason": latin1Of(why) }),
      },
      ...(hasBody && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      // The key is in the header: no cookie goes along, and no redirect takes it elsewhere.
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
    }).catch(failed);
    const text = await response.text().catch(failed);
    if (!response.ok) throw problemOf(response.status, text);
    // What 204 answers is declared as undefined where it is asked for.
    return response.status === 204 ? (undefined as T) : parsed<T>(text, parse);
  };
}

function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]],
    ),
  );
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** A header's characters are bytes for `fetch`, and UTF-8 for control. */
function latin1Of(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** A proxy's own page with status 200 is no answer of the API either. */
function parsed<T>(text: string, parse: (text: string) => unknown): T {
  try {
    return parse(text) as T; // what the API documents for the path
  } catch (error) {
    throw noAnswer(error);
  }
}

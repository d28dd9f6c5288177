import { invalid } from "@postrider/http";
import type { FastifyRequest } from "fastify";
import type { AuditFact } from "./audit-trail.ts";

/** On whose behalf something is changed, and why: what the request says for its audit record. */
export type Cause = Pick<AuditFact, "actor" | "why" | "requestId">;

/** The header in which a request gives its reason. */
export const REASON_HEADER = "x-audit-reason";
const MAX_REASON = 500;

/** The cause of what this request changes. `otherwise`: the reason where the header gives none. Throws a `ProblemError` if the header breaks a rule. */
export function causeOf(
  {
    caller,
    id,
    headers,
  }: Pick<FastifyRequest, "caller" | "id"> & {
    readonly headers: Readonly<Record<string, unknown>>;
  },
  otherwise = "",
): Cause {
  const given = headers[REASON_HEADER];
  const why = typeof given === "string" ? reasonOf(given) : "";
  return {
    actor: caller.keyId,
    why: why === "" ? otherwise : why,
    requestId: id,
  };
}

/** For what Postrider does by itself. */
export function ownCause(why: string): Cause {
  return { actor: "postrider", why, requestId: "" };
}

/** Node reads a header as Latin-1; what a terminal or our command sends is UTF-8. */
function reasonOf(header: string): string {
  const bytes = Buffer.from(header, "latin1");
  const text = bytes.toString("utf8");
  if (!bytes.equals(Buffer.from(text))) throw refused("utf8", "must be UTF-8");
  const why = text.trim();
  if (why.length > MAX_REASON)
    throw refused("max", `must be at most ${MAX_REASON} characters`);
  if (/\p{Cc}/u.test(why))
    throw refused("printable", "must not hold control characters");
  return why;
}

function refused(rule: string, message: string): Error {
  return invalid([{ field: REASON_HEADER, rule, message }]);
}

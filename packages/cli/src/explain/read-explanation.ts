import { ApiRefusal, callApi, pathSegment, type ApiAddress } from "../api.ts";
import { CliError } from "../cli-error.ts";
import type { Explanation } from "./explanation.ts";

/** Throws `CliError` with exit code 4 for an event of which nothing is recorded; its `why` says where to look. */
export async function readExplanation(
  control: ApiAddress,
  event: { readonly id: string; readonly tenantId?: string | undefined },
): Promise<Explanation> {
  const query =
    event.tenantId === undefined
      ? ""
      : `?tenantId=${encodeURIComponent(event.tenantId)}`;
  try {
    return (await callApi(control, {
      method: "GET",
      path: `/v1/events/${pathSegment(event.id)}/explain${query}`,
    })) as Explanation; // this is what control's API answers
  } catch (error) {
    throw error instanceof ApiRefusal && error.status === 404
      ? unknown(error)
      : error;
  }
}

function unknown(error: ApiRefusal): CliError {
  const hints = error.errors.filter(({ rule }) => rule !== "exists");
  const why = hints.map(({ field, rule, message }) =>
    rule === "other_tenant"
      ? message
      : `${field === "id" ? "it" : field} ${message}`,
  );
  return new CliError(error.exitCode, error.message, {
    why: why.length === 0 ? undefined : why.join("\n"),
    next: nextOf(error),
    facts: { errors: error.errors },
  });
}

const NEXT: Readonly<Record<string, string>> = {
  other_tenant: "the same command with --tenant TENANT",
  record_key: "the same command with that id, and --tenant TENANT",
  dead_letter: "npx postrider dead-letters list --event EVENT --since 30d",
  not_recorded_yet: "npx postrider status   (is route or the recorder behind?)",
};

/** The command for what was found; else where it may be. */
function nextOf({ errors, next }: ApiRefusal): string | undefined {
  const rules = errors.map(({ rule }) => rule ?? "");
  const first = Object.keys(NEXT).find((rule) => rules.includes(rule));
  return first === undefined ? (next ?? undefined) : NEXT[first];
}

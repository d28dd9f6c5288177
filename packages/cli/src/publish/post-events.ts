import { ApiRefusal, callApi, type ApiAddress } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { PublishedEvent } from "./wait-for-events.ts";

/** Publishes `body`, one envelope or a list, and resolves to what the door acknowledged. Throws `CliError`, also where an answer names no events. */
export async function postEvents(
  ingest: ApiAddress,
  body: string,
): Promise<readonly PublishedEvent[]> {
  const request = { method: "POST", path: "/v1/events", body } as const;
  const answer = (await callApi(ingest, request)) as {
    readonly events?: readonly PublishedEvent[];
  }; // `callApi` gives an object; the door names the events in it
  if (Array.isArray(answer.events)) return answer.events;
  throw new CliError(
    EXIT.failed,
    "POST /v1/events was answered without the events.",
    { why: JSON.stringify(answer).slice(0, 500) },
  );
}

/** Publishes the envelope that options describe. A refusal names the options instead of the fields that they became. */
export async function postDescribedEvent(
  ingest: ApiAddress,
  envelope: string,
): Promise<readonly PublishedEvent[]> {
  try {
    // Not in a list, so that a refusal names `type` instead of `events[0].type`.
    return await postEvents(ingest, envelope);
  } catch (error) {
    throw error instanceof ApiRefusal ? inOptions(error) : error;
  }
}

const OPTION_OF: readonly (readonly [field: string, option: string])[] = [
  ["destination.url", "--to"],
  ["destination.secret", "--secret"],
  ["destination.maxAttempts", "--max-attempts"],
];

function inOptions(refusal: ApiRefusal): ApiRefusal {
  const { status, errors, message, why, next } = refusal;
  let text = why ?? "";
  for (const [field, option] of OPTION_OF)
    text = text.replaceAll(field, option);
  return new ApiRefusal(status, errors, message, {
    why: text,
    next: next ?? undefined,
  });
}

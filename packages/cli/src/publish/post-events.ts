import { callApi, type ApiAddress } from "../api.ts";
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

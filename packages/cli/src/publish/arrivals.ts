/** Counts how often an event has come in. This tells a repeat that was dropped from an event that is delivered. */
import { callApi, type ApiAddress } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { PublishedEvent } from "./wait-for-events.ts";

export interface Arrivals {
  readonly all: number;
  /** How many of them were dropped as repeats. */
  readonly duplicates: number;
}

export async function readArrivals(
  control: ApiAddress,
  { id, tenantId }: PublishedEvent,
): Promise<Arrivals> {
  const answer = (await callApi(control, {
    method: "POST",
    path: "/v1/query",
    body: JSON.stringify({
      sql: `SELECT toUInt32(count()), toUInt32(countIf(decision = 'duplicate')) FROM events WHERE tenant_id = ${quoted(tenantId)} AND event_id = ${quoted(id)}`,
    }),
  })) as { readonly rows: readonly (readonly [number, number])[] }; // this is what control's API answers
  const [all = 0, duplicates = 0] = answer.rows[0] ?? [];
  return { all, duplicates };
}

const POLL_EVERY_MS = 250;

/** Waits until an event that had come in before has come in once more; resolves to whether it was dropped as a repeat. */
export async function wasRepeat(
  control: ApiAddress,
  event: PublishedEvent,
  before: Arrivals,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const now = await readArrivals(control, event);
    if (now.all > before.all) return now.duplicates > before.duplicates;
    if (Date.now() >= deadline)
      throw new CliError(
        EXIT.failed,
        `${event.id} was published again, and has not come in within ${Math.round(timeoutMs / 1000)} s.`,
        { next: "npx postrider status" },
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

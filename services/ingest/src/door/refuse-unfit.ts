import { setImmediate } from "node:timers/promises";
import { ProblemList, problemsAt } from "@postrider/core";
import type { TypeCatalogue } from "@postrider/event-types";
import { detailOf } from "@postrider/http";
import { DoorProblem } from "./door-problem.ts";
import type { ReadRequest } from "./read-request.ts";

/** How long checks go on before other requests have their turn: a thousand slow ones may be in one request. */
const TURN_MS = 10;

/**
 * Refuses what the event types of its tenant do not allow: all or nothing, as any other problem. What the catalogue may lack refuses
 * nobody for good.
 */
export async function refuseUnfit(
  { events, isBatch }: Extract<ReadRequest, { kind: "events" }>,
  types: Pick<TypeCatalogue, "problemsOf" | "behind">,
): Promise<void> {
  const list = new ProblemList();
  let begun = performance.now();
  for (const [index, event] of events.entries()) {
    const found = types.problemsOf(event);
    if (found.length > 0)
      list.addAll(isBatch ? problemsAt(`events[${index}]`, found) : found);
    if (performance.now() - begun < TURN_MS) continue;
    await setImmediate();
    begun = performance.now();
  }
  const errors = list.list();
  if (errors.length === 0) return;
  const behind = types.behind();
  if (behind !== null)
    throw new DoorProblem(
      "types_behind",
      `Nothing was accepted: ${behind}. Send it again later.`,
      { errors, headers: { "retry-after": "5" } },
    );
  throw new DoorProblem("unfit_event", detailOf(errors), { errors });
}

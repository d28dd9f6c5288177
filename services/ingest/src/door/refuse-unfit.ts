import { ProblemList, problemsAt } from "@postrider/core";
import type { TypeCatalogue } from "@postrider/event-types";
import { detailOf } from "@postrider/http";
import { DoorProblem } from "./door-problem.ts";
import type { ReadRequest } from "./read-request.ts";

/**
 * Refuses what the event types of its tenant do not allow: all or nothing, as any other problem. What the catalogue may lack refuses
 * nobody for good.
 */
export function refuseUnfit(
  { events, isBatch }: Extract<ReadRequest, { kind: "events" }>,
  types: Pick<TypeCatalogue, "problemsOf" | "behind">,
): void {
  const list = new ProblemList();
  for (const [index, event] of events.entries()) {
    const found = types.problemsOf(event);
    if (found.length > 0)
      list.addAll(isBatch ? problemsAt(`events[${index}]`, found) : found);
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

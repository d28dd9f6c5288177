/**
 * Does what a plan says. Each step names the version that it was planned for: what was changed meanwhile is refused, and not overwritten.
 * Once a step was refused nothing is deleted: the endpoint that was refused may be the one that takes over the events.
 */
import type { ApiRequest } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { matching, pathOf } from "../endpoint-path.ts";
import type { Endpoint } from "../read-endpoints.ts";
import { patchOf, type Change, type Step } from "./plan.ts";

/** How a step went, as `--json` prints it. */
export interface Outcome {
  readonly action: Step["kind"];
  readonly tenantId: string;
  readonly externalId: string;
  /** Null: it was not created. */
  readonly id: string | null;
  /** The version after it; null where there is none. */
  readonly version: number | null;
  readonly changes: readonly Change[];
  /** `planned`: nothing was to be written, or it was not tried. */
  readonly outcome: "planned" | "done" | "refused";
  readonly error: string | null;
}

export async function carryOut(
  steps: readonly Step[],
  of: {
    readonly call: (request: ApiRequest) => Promise<unknown>;
    readonly headers: Readonly<Record<string, string>>;
    readonly done: (step: Step, outcome: Outcome) => void;
  },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let isOver = false;
  let isRefused = false;
  for (const step of steps) {
    let outcome = planned(step);
    const isKept = isRefused && step.kind === "delete";
    if (!isOver && !isKept && step.kind !== "unchanged")
      try {
        const request = requestOf(step);
        const answer = (await of.call({
          ...request,
          headers: { ...request.headers, ...of.headers },
        })) as Endpoint | null; // this is what control's API answers
        outcome = {
          ...outcome,
          id: answer?.id ?? outcome.id,
          version: answer?.version ?? null,
          outcome: "done",
        };
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        isRefused = true;
        // Whoever cannot be reached will not answer the next one either.
        isOver = error.exitCode === EXIT.unreachable;
        const why = [error.message, error.why].filter(Boolean).join(" ");
        outcome = { ...outcome, outcome: "refused", error: why };
      }
    outcomes.push(outcome);
    of.done(step, outcome);
  }
  return outcomes;
}

export function planned(step: Step): Outcome {
  const { tenantId, externalId } =
    step.kind === "delete" ? step.stored : step.wanted;
  const stored = step.kind === "create" ? null : step.stored;
  return {
    action: step.kind,
    tenantId,
    externalId: externalId ?? "",
    id: stored?.id ?? null,
    version: stored?.version ?? null,
    changes: "changes" in step ? step.changes : [],
    outcome: "planned",
    error: null,
  };
}

function requestOf(step: Exclude<Step, { kind: "unchanged" }>): ApiRequest {
  switch (step.kind) {
    case "create":
      return {
        method: "POST",
        path: "/v1/endpoints",
        body: JSON.stringify(step.wanted.body),
      };
    case "change":
      return {
        method: "PATCH",
        path: pathOf(step.stored.id),
        headers: matching(step.stored.version),
        body: JSON.stringify(patchOf(step.wanted, step.changes)),
      };
    case "delete":
      return {
        method: "DELETE",
        path: pathOf(step.stored.id),
        headers: matching(step.stored.version),
      };
  }
}

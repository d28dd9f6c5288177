/** The steps of a plan of endpoints: how they are shown, asked for and told. */
import type { ApiRequest } from "../api.ts";
import { matching, pathOf } from "../endpoint-path.ts";
import type { Endpoint } from "../read-endpoints.ts";
import type { Terminal } from "../terminal.ts";
import type { Carried } from "./carry-out.ts";
import type { Change, ShownStep } from "./plan-lines.ts";
import { patchOf, type Step } from "./plan.ts";

/** How a step went, as `--json` prints it. */
export interface Outcome extends Carried {
  readonly action: Step["kind"];
  readonly tenantId: string;
  readonly externalId: string;
  /** Null: it was not created. */
  readonly id: string | null;
  /** The version after it; null where there is none. */
  readonly version: number | null;
  readonly changes: readonly Change[];
}

export function shownStep(step: Step): ShownStep {
  const { tenantId, externalId } =
    step.kind === "delete" ? step.stored : step.wanted;
  return {
    kind: step.kind,
    title: `${tenantId}/${externalId}`,
    stored:
      step.kind === "create"
        ? ""
        : `${step.stored.id}  version ${step.stored.version}`,
    changes: "changes" in step ? step.changes : [],
  };
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

export function titleOf(outcome: Outcome): string {
  return `${outcome.tenantId}/${outcome.externalId}`;
}

/** Says what there is now, and how to come by a secret that control made. */
export function sayDone(
  step: Step,
  { id, version }: Outcome,
  terminal: Terminal,
): void {
  if (step.kind === "change") terminal.say(`    is version ${version} now`);
  if (step.kind !== "create") return;
  terminal.say(`    is ${id}, version ${version}`);
  if (step.wanted.body["secret"] === undefined)
    terminal.say(
      `    Its secret was made and is not shown. To get a new one: npx postrider endpoints rotate-secret ${id} --overlap 0`,
    );
}

export function answered(outcome: Outcome, answer: unknown): Outcome {
  const endpoint = answer as Endpoint | null; // this is what control's API answers
  return {
    ...outcome,
    id: endpoint?.id ?? outcome.id,
    version: endpoint?.version ?? null,
  };
}

export function requestOf(step: Step): ApiRequest | null {
  switch (step.kind) {
    case "unchanged":
      return null;
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

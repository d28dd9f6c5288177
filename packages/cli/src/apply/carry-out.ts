/**
 * Does what a plan says. Each step names the version that it was planned for: what was changed meanwhile is refused, and not overwritten.
 * Once a step was refused nothing is deleted: what was refused may be what takes over from it.
 */
import type { ApiRequest } from "../api.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { StepKind } from "./plan-lines.ts";

/** How a step went. */
export interface Carried {
  /** `planned`: nothing was to be written, or it was not tried. */
  readonly outcome: "planned" | "done" | "refused";
  readonly error: string | null;
}

export interface CarriedOut<O> {
  readonly outcomes: readonly O[];
  /** Control could not be reached; no step after that was tried. */
  readonly isCutOff: boolean;
}

export async function carryOut<
  S extends { readonly kind: StepKind },
  O extends Carried,
>(
  steps: readonly S[],
  of: {
    /** Before it was tried. */
    readonly planned: (step: S) => O;
    /** Null: nothing is to be written. */
    readonly requestOf: (step: S) => ApiRequest | null;
    /** What control's answer says; null after a deletion. */
    readonly answered: (planned: O, answer: unknown) => O;
    readonly call: (request: ApiRequest) => Promise<unknown>;
    readonly headers: Readonly<Record<string, string>>;
    readonly done: (step: S, outcome: O) => void;
  },
): Promise<CarriedOut<O>> {
  const outcomes: O[] = [];
  let isCutOff = false;
  let isRefused = false;
  for (const step of steps) {
    let outcome = of.planned(step);
    const request = of.requestOf(step);
    const isKept = isRefused && step.kind === "delete";
    if (!isCutOff && !isKept && request !== null)
      try {
        const answer = await of.call({
          ...request,
          headers: { ...request.headers, ...of.headers },
        });
        outcome = { ...of.answered(outcome, answer), outcome: "done" };
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        isRefused = true;
        // Whoever cannot be reached will not answer the next one either.
        isCutOff = error.exitCode === EXIT.unreachable;
        const why = [error.message, error.why].filter(Boolean).join(" ");
        outcome = { ...outcome, outcome: "refused", error: why };
      }
    outcomes.push(outcome);
    of.done(step, outcome);
  }
  return { outcomes, isCutOff };
}

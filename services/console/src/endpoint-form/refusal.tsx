import { ApiProblem } from "../api/api-problem.ts";
import { Failure } from "../parts/notices.tsx";
import { InView } from "./in-view.tsx";
import { byField, type FieldProblems } from "./texts.ts";

/** What of an error is said above the form: all of it, unless each part of it is said at its field. */
export function Refusal({ error }: { readonly error: Error | null }) {
  if (error === null) return null;
  const isAtFields =
    error instanceof ApiProblem &&
    error.errors.length > 0 &&
    byField(error.errors).others.length === 0;
  return isAtFields ? null : (
    <InView of={error}>
      <Failure error={error} />
    </InView>
  );
}

export function fieldProblemsOf(error: Error | null): FieldProblems {
  return error instanceof ApiProblem ? byField(error.errors).problems : {};
}

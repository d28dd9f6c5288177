export {
  compileFilter,
  MAX_FILTER_BYTES,
  type CompiledFilter,
  type FilterCompilation,
} from "./compile-filter.ts";
export type { FilterProblem } from "./filter-problem.ts";
export { FilterSubject, type EventFacts } from "./filter-subject.ts";
export { MAX_STEPS, type Judgement } from "./judge.ts";
export { KeptFilters } from "./kept-filters.ts";
export { parseJson, type ParsedJson } from "./parse-json.ts";

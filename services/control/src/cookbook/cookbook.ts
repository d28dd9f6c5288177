import { COST } from "./cost.ts";
import { HEALTH } from "./health.ts";
import { INTAKE } from "./intake.ts";
import { RETRIES } from "./retries.ts";
import type { SavedQuery } from "./saved-query.ts";
import { WAITING } from "./waiting.ts";

export interface Chapter {
  readonly title: string;
  readonly queries: readonly SavedQuery[];
}

/** Every saved query, in the order of docs/sql/cookbook.md, which is generated from this list. */
export const COOKBOOK: readonly Chapter[] = [
  { title: "Endpoints and their attempts", queries: HEALTH },
  { title: "What waits", queries: WAITING },
  { title: "How deliveries end", queries: RETRIES },
  { title: "What comes in", queries: INTAKE },
  { title: "Who uses how much, and trends", queries: COST },
];

export const SAVED_QUERIES: readonly SavedQuery[] = COOKBOOK.flatMap(
  ({ queries }) => queries,
);

const BY_NAME = new Map(SAVED_QUERIES.map((query) => [query.name, query]));

export function savedQuery(name: string): SavedQuery | undefined {
  return BY_NAME.get(name);
}

import { AUDIT } from "./audit.ts";
import { COST } from "./cost.ts";
import { HEALTH } from "./health.ts";
import { INTAKE } from "./intake.ts";
import { laidOut } from "./laid-out.ts";
import { RETRIES } from "./retries.ts";
import type { SavedQuery } from "./saved-query.ts";
import { SERVICE_LEVELS } from "./service-levels.ts";
import { WAITING } from "./waiting.ts";

export interface Chapter {
  readonly title: string;
  readonly queries: readonly SavedQuery[];
}

/** Every saved query, in the order of docs/sql/cookbook.md, which is generated from this list. */
export const COOKBOOK: readonly Chapter[] = [
  chapter("Endpoints and their attempts", HEALTH),
  chapter("What waits", WAITING),
  chapter("How deliveries end", RETRIES),
  chapter("Service levels", SERVICE_LEVELS),
  chapter("What comes in", INTAKE),
  chapter("Who uses how much, and trends", COST),
  chapter("Who did what", AUDIT),
];

function chapter(title: string, queries: readonly SavedQuery[]): Chapter {
  return {
    title,
    queries: queries.map((query) => ({ ...query, sql: laidOut(query.sql) })),
  };
}

export const SAVED_QUERIES: readonly SavedQuery[] = COOKBOOK.flatMap(
  ({ queries }) => queries,
);

const BY_NAME = new Map(SAVED_QUERIES.map((query) => [query.name, query]));

export function savedQuery(name: string): SavedQuery | undefined {
  return BY_NAME.get(name);
}

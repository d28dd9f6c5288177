import type { SavedQuery } from "../../services/control/src/cookbook/saved-query.ts";
import type { Scope } from "./answers.ts";
import { HOUR } from "./receivers.ts";

const DAY = 24 * HOUR;

/** The start of the day before yesterday: all of the data set is then in the past, and young enough for the tables' TTL. */
export function dataSetStart(now: number): number {
  return Math.floor(now / DAY) * DAY - 2 * DAY;
}

/** The whole window, or the parts of it that tell whether a bound is obeyed. */
export function scopesOf(
  query: SavedQuery,
  window: { readonly from: number; readonly until: number },
): readonly (readonly [name: string, scope: Scope])[] {
  const { tenant, endpoint, reason, limit, min_bad } = query.parameters;
  const whole: Scope = {
    since: window.from,
    until: window.until,
    tenant: tenant?.default ?? "initech",
    endpoint: endpoint === undefined ? "" : (endpoint.default ?? "ep_down"),
    reason: "",
    limit: 10_000,
    min_attempts: 10,
    target: 0.99,
    within_ms: 30_000,
    attempts: 12,
    min_bad: 5,
  };
  // The end is the start of an hour, as roll-ups have no finer bounds. Deliveries that came before are put off after it.
  const all: (readonly [string, Scope])[] = [
    ["everything", whole],
    ["the second day", { ...whole, since: window.from + DAY }],
    ["an end within the data", { ...whole, until: window.from + 44 * HOUR }],
    ["one tenant", { ...whole, tenant: "initech" }],
  ];
  if (endpoint !== undefined)
    all.push(
      ["one endpoint", { ...whole, endpoint: "ep_down" }],
      ["one that control does not know", { ...whole, endpoint: "ep_flaky" }],
    );
  if (reason !== undefined)
    all.push(["one reason", { ...whole, reason: "exhausted" }]);
  if (limit !== undefined) all.push(["the first two", { ...whole, limit: 2 }]);
  const outage = { ...whole, until: window.from + 25 * HOUR };
  if (min_bad !== undefined)
    all.push(
      ["an outage", outage],
      ["an outage, where one is enough", { ...outage, min_bad: 1 }],
    );
  return all;
}

/** As a caller writes them. Those that the query does not have are left out. */
export function parametersOf(query: SavedQuery, scope: Scope): URLSearchParams {
  const texts: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      Object.entries(scope).map(([name, value]) => [name, String(value)]),
    ),
    since: new Date(scope.since).toISOString(),
    until: new Date(scope.until).toISOString(),
  };
  const asked = new URLSearchParams();
  for (const name of Object.keys(query.parameters))
    asked.set(name, texts[name] ?? "");
  return asked;
}

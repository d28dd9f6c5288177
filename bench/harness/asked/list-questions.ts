/** The lists, filtered in every way that the console offers, and their following pages. */
import type { Random } from "@postrider/testkit";
import type { Known, Scope } from "./known.ts";
import { pathOf, type Question } from "./question.ts";

type Filter = Readonly<Record<string, string>>;

/** What is always there for each of the scopes, and what is there at least for all tenants and the biggest one. */
interface Filters {
  readonly always: Readonly<Record<string, Filter>>;
  readonly often: Readonly<Record<string, Filter>>;
}

interface ListPath {
  readonly path: string;
  readonly field: string;
  readonly filters: Filters;
}

const PAGES = 3;
const DAY_MS = 86_400_000;

export function listQuestions(
  known: Known,
  scope: Scope,
  random: Random,
): readonly Question[] {
  return listsOf(known, scope, random).flatMap(({ path, field, filters }) =>
    (["always", "often"] as const).flatMap((kind) =>
      Object.entries(filters[kind]).map(([name, filter]): Question => ({
        group: "lists",
        name: `${path.slice("/v1/".length)}, ${name}`,
        scope,
        path: pathOf(path, filter),
        field,
        mayBeEmpty: kind === "often" && scope === "small",
        pages: PAGES,
      })),
    ),
  );
}

function listsOf(known: Known, scope: Scope, random: Random): ListPath[] {
  const of = known.of[scope];
  const busy = { endpointId: random.pick(of.busy) };
  const quiet = { endpointId: random.pick(of.quiet) };
  const eventId = random.pick(of.events);
  const deliveries = of.deliveries.get("delivered after retries");
  const past = {
    until: new Date(Date.now() - random.between(1, 20 * DAY_MS)).toISOString(),
  };
  const always = {
    newest: {},
    "of a busy endpoint": busy,
    "of a quiet endpoint": quiet,
    "of an event": { eventId },
    "before a past moment": past,
  };
  return [
    {
      path: "/v1/deliveries",
      field: "deliveries",
      filters: {
        always,
        often: {
          failed: { status: "failed" },
          "given up": { status: "expired" },
          "of a type": { eventType: "order.paid" },
          "answered 5xx": { statusCode: "5xx" },
          "with a text, 6 hours": { text: "answered 503", since: "6h" },
          "delivered of a busy endpoint": { ...busy, status: "delivered" },
        },
      },
    },
    {
      path: "/v1/attempts",
      field: "attempts",
      filters: {
        always: {
          ...always,
          ...(deliveries !== undefined && {
            "of a delivery": { deliveryId: random.pick(deliveries) },
          }),
        },
        often: {
          "timed out": { outcome: "timeout" },
          "answered 503": { statusCode: "503" },
          retries: { trigger: "retry" },
          "with a text, 6 hours": { text: "overloaded", since: "6h" },
          "failed of a busy endpoint": { ...busy, statusCode: "5xx" },
        },
      },
    },
    {
      path: "/v1/dead-letters",
      field: "deadLetters",
      filters: {
        always: { newest: {} },
        often: {
          exhausted: { reason: "exhausted" },
          "parked, 7 days": { reason: "paused", since: "7d" },
        },
      },
    },
    {
      path: "/v1/audit",
      field: "entries",
      filters: {
        always: { newest: {} },
        often: { "of an actor": { actor: "admin" } },
      },
    },
  ];
}

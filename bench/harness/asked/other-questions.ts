/** Timelines, charts and the cookbook's queries. */
import type { Random } from "@postrider/testkit";
import type { Known, Scope } from "./known.ts";
import { pathOf, type Question } from "./question.ts";

export function timelineQuestions(
  known: Known,
  scope: Scope,
  random: Random,
): readonly Question[] {
  const of = {
    group: "timelines",
    scope,
    mayBeEmpty: false,
    pages: 1,
  } as const;
  const { deliveries, events } = known.of[scope];
  return [
    ...[...deliveries].map(([fate, ids]) => ({
      ...of,
      name: `deliveries/{id}, ${fate}`,
      path: `/v1/deliveries/${random.pick(ids)}`,
      field: "timeline",
    })),
    {
      ...of,
      name: "events/{id}",
      path: `/v1/events/${random.pick(events)}`,
      field: "deliveries",
    },
  ];
}

const DIMENSIONS = [
  "endpointId",
  "tenantId",
  "eventType",
  "outcome",
  "statusCode",
  "tier",
];

/** Each of 24 hours, which is the default. */
export function seriesQuestions(
  known: Known,
  scope: Scope,
  random: Random,
): readonly Question[] {
  const { busy, quiet } = known.of[scope];
  const asked: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "in all": {},
    ...Object.fromEntries(DIMENSIONS.map((by) => [`by ${by}`, { by }])),
    "of a busy endpoint": { endpointId: random.pick(busy) },
    "of a quiet endpoint": { endpointId: random.pick(quiet) },
    "of a type": { eventType: "order.paid" },
  };
  return Object.entries(asked).map(([name, query]) => ({
    group: "day",
    name: `series, ${name}`,
    scope,
    path: pathOf("/v1/series", query),
    field: "groups",
    mayBeEmpty: false,
    pages: 1,
  }));
}

/** A saved query as `GET /v1/queries` shows it. */
export interface Saved {
  readonly name: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly default: string | null;
  }[];
}

/** Each over 24 hours, and, where that is another one, over its default window. What must be given is the scope's tenant and a busy endpoint of it. */
export function savedQuestions(
  saved: readonly Saved[],
  known: Known,
  scope: Scope,
  random: Random,
): readonly Question[] {
  return saved.flatMap(({ name, parameters }): Question[] => {
    const given: Record<string, string> = {};
    for (const parameter of parameters)
      if (parameter.default === null)
        given[parameter.name] =
          parameter.name === "tenant"
            ? (known.tenantOf[scope] ?? known.tenantOf.big ?? "")
            : random.pick(known.of[scope].busy);
    const window = parameters.find((each) => each.name === "since")?.default;
    const of = {
      scope,
      field: "rows",
      mayBeEmpty: scope === "small",
      pages: 1,
    } as const;
    const path = `/v1/queries/${name}`;
    return [
      {
        ...of,
        group: "day",
        name: `queries/${name}`,
        path: pathOf(path, { ...given, since: "1d" }),
      },
      ...(window === "1d"
        ? []
        : [
            {
              ...of,
              group: "longer",
              name: `queries/${name}, ${window}`,
              path: pathOf(path, given),
            } as const,
          ]),
    ];
  });
}

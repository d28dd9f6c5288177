/** The lists, the timeline and the series on a real ClickHouse, through control's own routes, against what is calculated from the records themselves. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Attempt, DeadLetter } from "@postrider/core";
import { systemClock } from "@postrider/runtime";
import {
  aDeadLetter,
  aDelivery,
  anAttempt,
  anEndpoint,
  anIntake,
  aSignal,
  rowsOf,
  testEffects,
  useStack,
} from "@postrider/testkit";
import type { QueryValues } from "../services/control/src/cookbook/read-parameters.ts";
import {
  deliveryConditions,
  DELIVERIES,
} from "../services/control/src/reads/lists/delivery-list.ts";
import { readPage } from "../services/control/src/reads/lists/read-page.ts";
import { createReader } from "../services/control/src/reads/reader.ts";
import { dataSetFrom, type Standing } from "./cookbook/data-set.ts";
import { quantile } from "./cookbook/figures.ts";
import { HOUR } from "./cookbook/receivers.ts";
import { startRecorder, type Recorder } from "./cookbook/recorded.ts";
import { dataSetStart } from "./cookbook/scopes.ts";
import {
  startReadServer,
  type Answer,
  type ReadServer,
  type Row,
} from "./reads/read-server.ts";

const stack = useStack();
const data = dataSetFrom(dataSetStart(Date.now()));
/** Control knows whose it is; of the other endpoints that are asked for it does not. */
const KNOWN = anEndpoint({ id: "ep_down", tenantId: "initech" });
let recorder: Recorder;
let server: ReadServer;

beforeAll(async () => {
  recorder = await startRecorder(stack.clickhouseUrl, stack.database);
  await recorder.record(data);
  await recorder.record(data); // each row is there twice
  server = await startReadServer({
    url: stack.clickhouseUrl,
    database: stack.database,
    endpoints: [KNOWN],
  });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await recorder?.close();
});

type Field = "deliveries" | "attempts" | "deadLetters";

/** Every row of a list, page after page. */
async function all(
  path: string,
  field: Field,
  given: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams({ limit: "97", ...given });
    if (cursor !== null) asked.set("cursor", cursor);
    const { status, body } = await server.ask(`${path}?${asked.toString()}`);
    expect([status, body.detail]).toEqual([200, undefined]);
    rows.push(...body[field]);
    cursor = body.nextCursor;
  } while (cursor !== null);
  return rows;
}

const time = (ms: number): string => new Date(ms).toISOString();
const DAY_2 = data.from + 24 * HOUR;

/** Newest first; ids order what came in the same millisecond. */
function newest<T>(
  of: readonly T[],
  at: (each: T) => number,
  id: (each: T) => string,
): readonly string[] {
  return of
    .toSorted((a, b) => at(b) - at(a) || (id(a) < id(b) ? 1 : -1))
    .map(id);
}

const errorsOf = Map.groupBy(data.attempts, ({ deliveryId }) => deliveryId);

const DELIVERY_CASES: readonly (readonly [
  Readonly<Record<string, string>>,
  (standing: Standing) => boolean,
])[] = [
  [{}, () => true],
  [{ tenantId: "initech" }, (each) => each.tenantId === "initech"],
  [{ endpointId: "ep_down" }, (each) => each.endpointId === "ep_down"],
  [{ endpointId: "ep_flaky" }, (each) => each.endpointId === "ep_flaky"],
  [{ eventType: "order.paid" }, (each) => each.eventType === "order.paid"],
  [{ eventType: "order.*" }, (each) => each.eventType.startsWith("order.")],
  [{ eventType: "order.paid.*" }, () => false],
  [{ eventType: "ord.*" }, () => false],
  [{ eventType: "*" }, () => true],
  [{ minAttempts: "3" }, (each) => each.attempts >= 3],
  [
    { minAttempts: "1", maxAttempts: "2", status: "failed" },
    (each) =>
      each.status === "failed" && each.attempts >= 1 && each.attempts <= 2,
  ],
  [{ maxAttempts: "0" }, (each) => each.attempts === 0],
  [{ status: "failed" }, (each) => each.status === "failed"],
  [
    { status: "pending,expired", tenantId: "globex" },
    (each) =>
      ["pending", "expired"].includes(each.status) &&
      each.tenantId === "globex",
  ],
  [
    { outcome: "connection_refused" },
    (each) => each.outcome === "connection_refused",
  ],
  [
    { statusCode: "5xx" },
    (each) => (each.statusCode ?? 0) >= 500 && (each.statusCode ?? 0) < 600,
  ],
  [{ statusCode: "410" }, (each) => each.statusCode === 410],
  [{ statusCode: "none" }, (each) => each.statusCode === null],
  [
    { deadLetterReason: "paused" },
    (each) => each.deadLetterReason === "paused",
  ],
  [{ since: time(DAY_2) }, (each) => each.receivedAt >= DAY_2],
  [
    { since: String(data.from + 5 * HOUR), until: time(data.from + 9 * HOUR) },
    (each) =>
      each.receivedAt >= data.from + 5 * HOUR &&
      each.receivedAt < data.from + 9 * HOUR,
  ],
  [
    { text: "ANSWERED 500", tenantId: "acme" },
    (each) =>
      each.tenantId === "acme" &&
      (errorsOf.get(each.deliveryId) ?? []).some((one) =>
        one.error?.includes("answered 500"),
      ),
  ],
  [{ eventId: "evt_0100" }, (each) => each.eventId === "evt_0100"],
  [{ text: "evt_0100" }, (each) => each.eventId === "evt_0100"],
  [{ tenantId: "' OR 1 = 1 --\\" }, () => false],
];

test.each(DELIVERY_CASES)(
  "deliveries by %j are those, newest first, each once",
  async (given, isWanted) => {
    const rows = await all("/v1/deliveries", "deliveries", given);

    expect(rows.map(({ id }) => id)).toEqual(
      newest(
        data.deliveries.filter(isWanted),
        (each) => each.receivedAt,
        (each) => each.deliveryId,
      ),
    );
  },
);

test("a delivery that was put off before any attempt is found by what it waits for", async () => {
  const rows = await all("/v1/deliveries", "deliveries", {
    deferralReason: "breaker_open",
  });

  const right = data.deliveries.filter(
    (each) => each.status === "pending" && each.waitsFor === "breaker_open",
  );
  expect(rows.map(({ id }) => String(id)).toSorted()).toEqual(
    right.map(({ deliveryId }) => deliveryId).toSorted(),
  );
});

test("a delivery is shown as it stands", async () => {
  const one = data.deliveries.find(
    ({ status, attempts }) => status === "delivered" && attempts > 1,
  )!;

  const { body } = await server.ask(
    `/v1/deliveries?eventId=${one.eventId}&endpointId=${one.endpointId}`,
  );

  expect(body.deliveries).toEqual([
    {
      id: one.deliveryId,
      tenantId: one.tenantId,
      endpointId: one.endpointId,
      eventId: one.eventId,
      eventType: one.eventType,
      status: "delivered",
      attempts: one.attempts,
      outcome: "delivered",
      statusCode: 200,
      errorCode: null,
      durationMs: expect.any(Number),
      receivedAt: time(one.receivedAt),
      changedAt: expect.any(String),
      nextAttemptAt: null,
      deferralReason: null,
      deadLetterReason: null,
      replayId: null,
    },
  ]);
});

const isRequest = (each: Attempt): boolean => each.attemptNumber > 0;

const ATTEMPT_CASES: readonly (readonly [
  Readonly<Record<string, string>>,
  (attempt: Attempt) => boolean,
])[] = [
  [{}, () => true],
  [{ endpointId: "ep_flaky" }, (each) => each.endpointId === "ep_flaky"],
  [{ endpointId: "ep_down" }, (each) => each.endpointId === "ep_down"],
  [{ eventType: "order.*" }, (each) => each.eventType.startsWith("order.")],
  [
    { tenantId: "globex", statusCode: "5xx" },
    (each) => each.tenantId === "globex" && (each.statusCode ?? 0) >= 500,
  ],
  [
    { outcome: "http_error,connection_refused" },
    (each) => ["http_error", "connection_refused"].includes(each.outcome ?? ""),
  ],
  [
    { trigger: "retry", since: time(DAY_2) },
    (each) => each.trigger === "retry" && each.startedAt >= DAY_2,
  ],
  [
    { text: "Answered 410" },
    (each) => each.error?.includes("answered 410") === true,
  ],
];

test.each(ATTEMPT_CASES)(
  "attempts by %j are those, newest first, each once",
  async (given, isWanted) => {
    const rows = await all("/v1/attempts", "attempts", given);

    const id = (each: Pick<Attempt, "deliveryId" | "attemptNumber">) =>
      `${each.deliveryId} ${String(each.attemptNumber).padStart(3, "0")}`;
    expect(rows.map((row) => id(row as unknown as Attempt))).toEqual(
      newest(
        data.attempts.filter((each) => isRequest(each) && isWanted(each)),
        (each) => each.startedAt,
        id,
      ),
    );
  },
);

test("a text of an answer's body finds its attempt, whatever its case", async () => {
  const at = data.until - HOUR;
  const body = Buffer.from('{"error":"Müller not found"}');
  await recorder.record({
    attempts: [
      anAttempt({
        tenantId: "umlauts",
        receivedAt: at,
        startedAt: at,
        responseBody: body,
      }),
    ],
  });

  const { body: answer } = await server.ask(
    `/v1/attempts?tenantId=umlauts&text=${encodeURIComponent("MÜLLER")}`,
  );

  expect(answer.attempts).toHaveLength(1);
});

test("an id that was published twice in a millisecond, with two types, is one delivery of one type", async () => {
  const at = data.from + 21 * HOUR;
  const of = {
    tenantId: "two_types",
    eventId: "evt_1",
    receivedAt: at,
  };
  const to = { deliveryId: "dlv_two_types", endpointId: "ep_two_types" };
  const published = (eventType: string, sourcePartition: number) =>
    anIntake({
      ...of,
      eventType,
      decidedAt: at + 5,
      sourcePartition,
      deliveries: [to],
    });
  await recorder.record({
    intakes: [published("order.paid", 0), published("order.sent", 1)],
    attempts: [
      anAttempt({ ...of, ...to, eventType: "order.paid", startedAt: at + 10 }),
    ],
  });

  const found = async (eventType: string) =>
    (
      await all("/v1/deliveries", "deliveries", {
        tenantId: "two_types",
        eventType,
      })
    ).map(({ id, status }) => `${String(id)} ${String(status)}`);

  expect(await found("order.paid")).toEqual(["dlv_two_types delivered"]);
  // Before FINAL only the row of its beginning is of this type: it would show as pending for ever.
  expect(await found("order.sent")).toEqual([]);
});

test("dead letters are found by reason, with where they are in the log", async () => {
  const rows = await all("/v1/dead-letters", "deadLetters", {
    reason: "gone,exhausted",
  });

  const right = data.deadLetters.filter(({ reason }) =>
    ["gone", "exhausted"].includes(reason),
  );
  expect(rows).toHaveLength(right.length);
  expect(rows.map(({ deliveryId }) => String(deliveryId)).toSorted()).toEqual(
    right.map(({ deliveryId }) => deliveryId ?? "").toSorted(),
  );
  const [first] = rows;
  expect(first).toMatchObject({
    logTopic: "dead_letters",
    logPartition: 0,
    logOffset: expect.any(Number),
    recordTopic: "postrider.deliveries",
    detail: expect.stringMatching(/^(gone|exhausted) after \d/),
  });
});

test.each([
  ["none", (code: number | null) => code === null],
  ["5xx", (code: number | null) => code !== null && code >= 500],
])(
  "dead letters are found by their last status code: %s",
  async (statusCode, isWanted) => {
    const rows = await all("/v1/dead-letters", "deadLetters", { statusCode });

    const right = data.deadLetters.filter((each) =>
      isWanted(each.lastStatusCode),
    );
    expect(right.length).toBeGreaterThan(0);
    expect(rows.map(({ deliveryId }) => String(deliveryId)).toSorted()).toEqual(
      right.map(({ deliveryId }) => deliveryId ?? "").toSorted(),
    );
  },
);

test("a dead letter says whether its event was delivered since, and only those that were not can be asked for; what a replay made names it", async () => {
  const receivedAt = data.from + 22 * HOUR;
  const of = (eventId: string, endpointId = "ep_again") => ({
    tenantId: "again",
    endpointId,
    eventId,
    deliveryId: `dlv_${endpointId}_${eventId}`,
    receivedAt,
  });
  const dead = (eventId: string, more: Partial<DeadLetter> = {}) =>
    aDeadLetter({ ...of(eventId), deadAt: receivedAt + HOUR, ...more });
  await recorder.record({
    deadLetters: [
      dead("delivered"),
      dead("delivered", { ...of("delivered", "ep_other") }),
      dead("failed"),
      dead("parked", { reason: "paused" }),
      dead("failed", {
        deliveryId: "dlv_redrive_failed",
        delivery: aDelivery({ replayId: "rpl_1" }),
      }),
      aDeadLetter({
        tenantId: "again",
        deadAt: receivedAt + HOUR,
        deliveryId: null,
        endpointId: null,
        eventId: null,
        receivedAt: null,
        reason: "unreadable",
        delivery: null,
      }),
    ],
    attempts: [
      anAttempt({
        ...of("delivered"),
        deliveryId: "dlv_redrive_delivered",
        startedAt: receivedAt + 2 * HOUR,
        trigger: "redrive",
        replayId: "rpl_1",
      }),
    ],
  });
  const ofList = async (more: Readonly<Record<string, string>>) => {
    const asked = { tenantId: "again", ...more };
    const rows = await all("/v1/dead-letters", "deadLetters", asked);
    return rows
      .map(
        ({ deliveryId, isDelivered }) =>
          `${String(deliveryId)} ${String(isDelivered)}`,
      )
      .toSorted();
  };

  const open = [
    "dlv_ep_again_failed false",
    "dlv_ep_again_parked false",
    "dlv_ep_other_delivered false",
    "dlv_redrive_failed false",
    "null false",
  ];
  const delivered = ["dlv_ep_again_delivered true"];
  expect(await ofList({ open: "true" })).toEqual(open);
  expect(await ofList({ open: "false" })).toEqual(delivered);
  expect(await ofList({})).toEqual([...delivered, ...open]);
  expect(await ofList({ replayId: "rpl_1" })).toEqual([
    "dlv_redrive_failed false",
  ]);
  for (const [path, field, ids] of [
    [
      "/v1/deliveries",
      "deliveries",
      ["dlv_redrive_delivered", "dlv_redrive_failed"],
    ],
    ["/v1/attempts", "attempts", ["dlv_redrive_delivered"]],
  ] as const) {
    const rows = await all(path, field, {
      tenantId: "again",
      replayId: "rpl_1",
    });
    const found = rows.map(({ id, deliveryId }) => String(id ?? deliveryId));
    expect(found.toSorted()).toEqual(ids);
    expect(rows.every(({ replayId }) => replayId === "rpl_1")).toBe(true);
  }
});

test("a list neither skips nor repeats a row while rows are added on both sides of its pages", async () => {
  const at = data.from + 20 * HOUR;
  const of = (n: number, receivedAt: number) =>
    anIntake({
      tenantId: "paging",
      eventId: `evt_${n}`,
      receivedAt,
      decidedAt: receivedAt + 5,
      sourceOffset: n,
      deliveries: [
        { deliveryId: `dlv_${String(n).padStart(5, "0")}`, endpointId: "ep" },
      ],
    });
  // Three in each millisecond, so that pages end between rows of the same time.
  const before = Array.from({ length: 600 }, (_, n) =>
    of(n, at + Math.floor(n / 3)),
  );
  await recorder.record({ intakes: before });

  const seen: string[] = [];
  let cursor: string | null = null;
  let added = 10_000;
  do {
    const next: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body }: { body: Answer } = await server.ask(
      `/v1/deliveries?tenantId=paging&limit=50${next}`,
    );
    seen.push(...body.deliveries.map(({ id }) => String(id)));
    cursor = body.nextCursor;
    // One newer than all, one in the midst of what is read already, and one among what is still to come.
    await recorder.record({
      intakes: [
        of(added++, at + HOUR),
        of(added++, at + 199),
        of(added++, at + 100),
      ],
    });
  } while (cursor !== null);

  const ids = before
    .map(({ deliveries: [one] }) => one!.deliveryId)
    .toReversed();
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((id) => id < "dlv_10000")).toEqual(ids);
});

test("the page of a busy tenant reads little of what it has", async () => {
  const at = data.from + 10 * HOUR;
  const busy = Array.from({ length: 60_000 }, (_, n) =>
    anIntake({
      tenantId: "busy",
      eventId: `evt_${n}`,
      receivedAt: at + n * 500,
      decidedAt: at + n * 500,
      sourceOffset: n,
      deliveries: [{ deliveryId: `dlv_busy_${n}`, endpointId: "ep" }],
    }),
  );
  await recorder.record({ intakes: busy });
  const reader = createReader({
    ...testEffects(),
    url: stack.clickhouseUrl,
    database: stack.database,
    queryTimeoutMs: 60_000,
  });
  let read = 0;

  const page = await readPage(
    DELIVERIES,
    {
      since: null,
      until: at + busy.length * 500,
      limit: 50,
      conditions: deliveryConditions({ tenantId: "busy", limit: 50 }),
    },
    {
      reading: {
        async query(sql, gone, values = {}) {
          read += await rowsRead(sql, values);
          return await reader.query(sql, gone, values);
        },
      },
      clock: systemClock,
      gone: AbortSignal.timeout(60_000),
    },
  );

  await reader.stop(0);
  expect(page.rows).toHaveLength(50);
  expect(read).toBeLessThan(busy.length / 2);
});

/** What ClickHouse says that it read. */
async function rowsRead(sql: string, values: QueryValues): Promise<number> {
  const parameters = new URLSearchParams({
    database: stack.database,
    wait_end_of_query: "1",
    do_not_merge_across_partitions_select_final: "1",
  });
  for (const [name, value] of Object.entries(values))
    parameters.set(`param_${name}`, String(value));
  const answer = await fetch(
    `${stack.clickhouseUrl}/?${parameters.toString()}`,
    {
      method: "POST",
      body: sql,
    },
  );
  await answer.text();
  const summary = answer.headers.get("x-clickhouse-summary") ?? "{}";
  const { read_rows } = JSON.parse(summary) as { read_rows?: string };
  return Number(read_rows);
}

test("a delivery's timeline has its event, attempts, waits, its endpoint's signals and its end, oldest first", async () => {
  const at = data.from + 30 * HOUR;
  const of = {
    tenantId: "timed",
    endpointId: "ep_timed",
    deliveryId: "dlv_timed",
    eventId: "evt_timed",
    receivedAt: at,
  };
  const failed = {
    ...of,
    outcome: "http_error",
    statusCode: 503,
    status: "failed",
    responseBody: Buffer.from("try later"),
  };
  const signal = { ...of, kind: "breaker_opened", deliveryId: null };
  await recorder.record({
    intakes: [
      anIntake({ ...of, decidedAt: at + 3, deliveries: [of] }),
      anIntake({
        ...of,
        decision: "duplicate",
        receivedAt: at + 900,
        decidedAt: at + 903,
        deliveries: [],
        sourceOffset: 7,
      }),
    ],
    attempts: [
      anAttempt({
        ...failed,
        startedAt: at + 10,
        nextAttemptAt: at + 2_000,
        remoteAddress: "2001:db8::7",
      }),
      anAttempt({
        ...of,
        attemptNumber: 0,
        step: 1,
        startedAt: at + 2_000,
        outcome: null,
        statusCode: null,
        status: "failed",
        deferralReason: "breaker_open",
        nextAttemptAt: at + 9_000,
      }),
      anAttempt({
        ...failed,
        attemptNumber: 2,
        step: 2,
        startedAt: at + 9_000,
        status: "expired",
        trigger: "retry",
        remoteAddress: null,
      }),
      anAttempt({ ...failed, deliveryId: "dlv_other", startedAt: at + 11 }),
    ],
    signals: [
      aSignal({ ...signal, at: at + 50, detail: "half failed" }),
      aSignal({ ...signal, at: at + 50, endpointId: "ep_another" }),
      aSignal({ ...signal, at: at - 2 * HOUR }),
      aSignal({ ...signal, at: at + 2 * HOUR }),
    ],
    deadLetters: [
      aDeadLetter({ ...of, deadAt: at + 9_030, attempts: 2, step: 2 }),
    ],
  });

  const { status, body } = await server.ask<Answer & Row>(
    "/v1/deliveries/dlv_timed",
  );

  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: "dlv_timed",
    status: "expired",
    attempts: 2,
    truncated: false,
    timeline: [
      {
        kind: "event",
        at: time(at),
        decision: "routed",
        decidedAt: time(at + 3),
      },
      {
        kind: "attempt",
        at: time(at + 10),
        attemptNumber: 1,
        remoteAddress: "2001:db8::7",
        responseBody: "try later",
        nextAttemptAt: time(at + 2_000),
      },
      {
        kind: "signal",
        at: time(at + 50),
        signal: "breaker_opened",
        detail: "half failed",
      },
      {
        kind: "deferral",
        at: time(at + 2_000),
        deferralReason: "breaker_open",
        nextAttemptAt: time(at + 9_000),
      },
      {
        kind: "attempt",
        at: time(at + 9_000),
        attemptNumber: 2,
        trigger: "retry",
        remoteAddress: null,
      },
      {
        kind: "dead_letter",
        at: time(at + 9_030),
        reason: "exhausted",
        logTopic: "dead_letters",
      },
    ],
  });
  expect(body.timeline).toHaveLength(6);
});

test("a delivery that is not recorded is a 404, and so is another tenant's", async () => {
  const one = data.deliveries.find(({ tenantId }) => tenantId === "acme")!;

  const missing = await server.ask("/v1/deliveries/dlv_nothing");
  const others = await server.ask(
    `/v1/deliveries/${one.deliveryId}?tenantId=globex`,
  );

  expect([missing.status, others.status]).toEqual([404, 404]);
  expect(missing.body.errors).toMatchObject([{ field: "id", rule: "exists" }]);
});

interface SeriesAnswer {
  readonly stepMs: number;
  readonly groups: readonly {
    readonly key: string | null;
    readonly isOther: boolean;
    readonly attempts: number;
    readonly delivered: number;
    readonly points: readonly Readonly<Record<string, number | string>>[];
  }[];
}

test("a series counts the attempts of each bucket, their success share and percentiles", async () => {
  const since = time(data.from);
  const until = time(data.until);

  const { body } = await server.ask<SeriesAnswer>(
    `/v1/series?since=${since}&until=${until}&step=1h&tenantId=acme`,
  );

  const those = data.attempts.filter(
    (each) => isRequest(each) && each.tenantId === "acme",
  );
  const hour = (at: number): string => time(Math.floor(at / HOUR) * HOUR);
  const right = [...Map.groupBy(those, ({ startedAt }) => hour(startedAt))]
    .map(([at, of]) => ({
      at,
      attempts: of.length,
      delivered: of.filter(({ outcome }) => outcome === "delivered").length,
    }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const [group] = body.groups;
  expect(body.groups).toHaveLength(1);
  expect(group).toMatchObject({
    key: null,
    isOther: false,
    attempts: those.length,
  });
  expect(
    group?.points.map(({ at, attempts, delivered }) => ({
      at,
      attempts,
      delivered,
    })),
  ).toEqual(right);
  const [first] = group!.points;
  const ofFirst = those.filter(
    ({ startedAt }) => hour(startedAt) === first?.["at"],
  );
  expect(Number(first?.["successShare"])).toBeCloseTo(
    right[0]!.delivered / right[0]!.attempts,
    3,
  );
  const least = quantile(ofFirst, (each) => each.durationMs, 0.25);
  const most = quantile(ofFirst, (each) => each.durationMs, 0.75);
  expect(Number(first?.["p50Ms"])).toBeGreaterThanOrEqual(least);
  expect(Number(first?.["p50Ms"])).toBeLessThanOrEqual(most);
});

test.each([
  ["endpointId", (each: Attempt) => each.endpointId],
  ["tenantId", (each: Attempt) => each.tenantId],
  ["eventType", (each: Attempt) => each.eventType],
  ["outcome", (each: Attempt) => each.outcome ?? ""],
  ["statusCode", (each: Attempt) => String(each.statusCode ?? "")],
  ["errorCode", (each: Attempt) => each.errorCode ?? ""],
  ["trigger", (each: Attempt) => each.trigger],
  ["tier", (each: Attempt) => each.tier ?? ""],
  ["deadLetterReason", (each: Attempt) => each.deadLetterReason ?? ""],
  ["worker", (each: Attempt) => each.worker],
] as const)(
  "a series by %s has the largest two and the others together",
  async (by, keyOf) => {
    const window = `since=${data.from}&until=${data.until}`;

    const { body } = await server.ask<SeriesAnswer>(
      `/v1/series?${window}&by=${by}&groups=2&tenantId=globex`,
    );

    const those = data.attempts.filter(
      (each) => isRequest(each) && each.tenantId === "globex",
    );
    const counts = [...Map.groupBy(those, keyOf)]
      .map(([key, of]) => ({
        key: key === "" ? null : key,
        attempts: of.length,
      }))
      .toSorted((a, b) => b.attempts - a.attempts);
    const top = body.groups.filter(({ isOther }) => !isOther);
    expect(top.map(({ key, attempts }) => ({ key, attempts }))).toEqual(
      counts.slice(0, 2),
    );
    const rest = counts
      .slice(2)
      .reduce((sum, { attempts }) => sum + attempts, 0);
    const other = body.groups.find(({ isOther }) => isOther);
    expect(other?.attempts ?? 0).toBe(rest);
  },
);

test("a series of several endpoints has these alone", async () => {
  const those = data.attempts.filter(
    (each) => isRequest(each) && each.tenantId === "globex",
  );
  const ids = [...new Set(those.map(({ endpointId }) => endpointId))].slice(-2);

  const { body } = await server.ask<SeriesAnswer>(
    `/v1/series?since=${data.from}&until=${data.until}&by=endpointId&endpointId=${ids.join()}`,
  );

  const found = body.groups.map(({ key, attempts }) => [key, attempts]);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(
      ids.map((id) => [
        id,
        data.attempts.filter(
          (each) => isRequest(each) && each.endpointId === id,
        ).length,
      ]),
    ),
  );
});

test.each([
  [
    "tenantId=initech&outcome=http_error,connection_refused",
    ({ tenantId, outcome }: Attempt) =>
      tenantId === "initech" && outcome !== "delivered",
  ],
  [
    "tenantId=globex&status=expired",
    ({ tenantId, status }: Attempt) =>
      tenantId === "globex" && status === "expired",
  ],
  [
    "tenantId=globex&outcome=http_error&status=failed",
    ({ tenantId, outcome, status }: Attempt) =>
      tenantId === "globex" && outcome === "http_error" && status === "failed",
  ],
  [
    "tenantId=globex&statusCode=5xx",
    ({ tenantId, statusCode }: Attempt) =>
      tenantId === "globex" && Math.floor((statusCode ?? 0) / 100) === 5,
  ],
  [
    "tenantId=initech&statusCode=none",
    ({ tenantId, statusCode }: Attempt) =>
      tenantId === "initech" && statusCode === null,
  ],
] as const)(
  "a series with %s counts these attempts alone",
  async (filter, isWanted) => {
    const window = `since=${data.from}&until=${data.until}`;

    const { body } = await server.ask<SeriesAnswer>(
      `/v1/series?${window}&${filter}`,
    );

    const wanted = data.attempts.filter(
      (each) => isRequest(each) && isWanted(each),
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(body.groups[0]?.attempts).toBe(wanted.length);
  },
);

test.each([
  ["/v1/deliveries?status=lost", "status", "one_of"],
  ["/v1/deliveries?eventType=ord*", "eventType", "type_pattern"],
  ["/v1/deliveries?minAttempts=-1", "minAttempts", "format"],
  ["/v1/deliveries?tenant=acme", "tenant", "unknown"],
  ["/v1/deliveries?since=yesterday", "since", "time"],
  ["/v1/deliveries?since=1h&until=2h", "since", "before"],
  ["/v1/deliveries?limit=0", "limit", "min"],
  ["/v1/deliveries?limit=1001", "limit", "max"],
  ["/v1/deliveries?cursor=abc", "cursor", "cursor"],
  ["/v1/deliveries?statusCode=6xx", "statusCode", "status_code"],
  ["/v1/deliveries?endpointId=a&endpointId=b", "endpointId", "type"],
  ["/v1/deliveries/dlv?limit=1", "limit", "unknown"],
  ["/v1/attempts?trigger=hand", "trigger", "one_of"],
  ["/v1/attempts?deferralReason=x", "deferralReason", "unknown"],
  ["/v1/dead-letters?reason=bored", "reason", "one_of"],
  ["/v1/series?by=url", "by", "one_of"],
  ["/v1/series?outcome=late", "outcome", "one_of"],
  ["/v1/series?status=lost", "status", "one_of"],
  ["/v1/series?step=5", "step", "duration"],
  ["/v1/series?step=1s", "step", "buckets"],
  ["/v1/series?since=40d", "since", "window"],
  ["/v1/series?groups=21", "groups", "max"],
  [`/v1/series?endpointId=${Array(21).fill("ep").join()}`, "endpointId", "max"],
])("%s is refused: %s breaks %s", async (path, field, rule) => {
  const { status, body } = await server.ask(path);

  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ field, rule }]);
});

test("a cursor of another list is refused", async () => {
  const { body } = await server.ask("/v1/deliveries?limit=1");

  const { status } = await server.ask(`/v1/attempts?cursor=${body.nextCursor}`);

  expect(status).toBe(400);
});

test("the engine has the rows twice, so each of the above had to leave one out", async () => {
  const [row] = await rowsOf<{ n: string }>(
    stack.clickhouseUrl,
    `SELECT toString(count()) AS n FROM ${stack.database}.attempts WHERE tenant_id IN ('acme', 'globex', 'initech')`,
  );

  expect(Number(row?.n)).toBe(2 * data.attempts.length);
});

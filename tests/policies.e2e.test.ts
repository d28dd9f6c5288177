/** Policies of endpoints and of inline destinations: set over the API, followed by the services as processes, read in ClickHouse. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import {
  rowsOf,
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
  type Script,
} from "@postrider/testkit";

const TIERS = "1s,2s,1h";
const HOUR = 3_600_000;
/** Generous, because the machine may be busy with other work. */
const PATIENCE_MS = 60_000;
const LONG = 150_000;

const stack = useStack();
const { clickhouseUrl, database } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-policies-"));
const receivers: Receiver[] = [];
let running: RunningServices | undefined;
let endpointCount = 0;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  await migrate({ url: clickhouseUrl, database });
  running = await startServices({
    ...stack.forServices,
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    readyTimeoutMs: 120_000,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
}, 200_000);
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
afterAll(async () => {
  await running?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

async function aReceiver(answer: Script): Promise<Receiver> {
  const receiver = await startReceiver({ answer });
  receivers.push(receiver);
  return receiver;
}

async function call<T>(
  method: string,
  url: string,
  body: unknown,
): Promise<{ status: number; answer: T }> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
      "if-match": "*",
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as T };
}

const endpointsUrl = (): string => `${running?.controlUrl}/v1/endpoints`;

/** An endpoint with a tenant of its own, once route knows it. */
async function anEndpoint(
  fields: Record<string, unknown>,
): Promise<{ tenantId: string; url: string; view: Record<string, unknown> }> {
  const tenantId = `t${endpointCount}`;
  const { status, answer } = await call<Record<string, unknown>>(
    "POST",
    endpointsUrl(),
    { tenantId, eventTypes: ["*"], ...fields },
  );
  expect({ status, answer }).toMatchObject({ status: 201 });
  endpointCount += 1;
  const ingest = running?.services.find(({ name }) => name === "ingest");
  await waitFor(
    async () => {
      const page = await (await fetch(`${ingest?.adminUrl}/metrics`)).text();
      const entries = /^postrider_table_entries\{.*endpoints".*\} (\d+)$/m;
      return Number(entries.exec(page)?.[1]) >= endpointCount;
    },
    { what: "route to know the endpoint", timeoutMs: PATIENCE_MS },
  );
  return {
    tenantId,
    url: `${endpointsUrl()}/${String(answer["id"])}`,
    view: answer,
  };
}

/** Publishes an event; resolves with its id. */
async function publish(fields: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  const published = await call("POST", `${running?.ingestUrl}/v1/events`, {
    id,
    type: "order.paid",
    tenantId: "inline",
    payload: {},
    ...fields,
  });
  expect(published).toMatchObject({ status: 202 });
  return id;
}

const inlineTo = (url: string, policy: Record<string, unknown> = {}) => ({
  destination: { url, secret: "hush", ...policy },
});

interface Letter {
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
  readonly last_status_code: number | null;
}

/** The dead letter of an event, once the recorder has written it. */
async function deadLetterOf(eventId: string): Promise<Letter> {
  return await waitFor(
    async () =>
      (
        await rowsOf<Letter>(
          clickhouseUrl,
          `SELECT reason, detail, attempts, last_status_code FROM ${database}.dead_letters WHERE event_id = {id:String}`,
          { id: eventId },
        )
      )[0],
    { what: "the dead letter", everyMs: 200, timeoutMs: PATIENCE_MS },
  );
}

test(
  "an endpoint's method, headers, waits and number of attempts hold, in its view and on the wire",
  async () => {
    const receiver = await aReceiver(500);
    const policy = {
      method: "PUT",
      headers: { "x-team": "billing" },
      retryDelaysMs: [1_000],
      maxAttempts: 4,
      maxAgeMs: 20 * 60_000,
      notRetryableStatuses: [422],
    };
    const { tenantId, view } = await anEndpoint({
      url: receiver.url,
      ...policy,
    });

    const letter = await deadLetterOf(await publish({ tenantId }));

    expect(view).toMatchObject(policy);
    expect(letter).toEqual({
      reason: "exhausted",
      detail: "the endpoint answered 500; attempt 4 was the last",
      attempts: 4,
      last_status_code: 500,
    });
    for (const { method, headers } of receiver.requests)
      expect([method, headers["x-team"]]).toEqual(["PUT", "billing"]);
  },
  LONG,
);

test("what breaks a rule is refused with the field and the rule; a preset is shown as its waits", async () => {
  const base = {
    tenantId: "rules",
    url: "http://127.0.0.1:9/",
    eventTypes: ["never.published"],
  };
  const refused = await call<{ errors: { field: string; rule: string }[] }>(
    "POST",
    endpointsUrl(),
    { ...base, retryDelaysMs: "weekly", maxAttempts: 0, method: "GET" },
  );
  const { view } = await anEndpoint({
    ...base,
    retryDelaysMs: "standard-webhooks",
  });

  expect(refused.status).toBe(400);
  const problems = refused.answer.errors.map((one) => [one.field, one.rule]);
  expect(problems).toEqual(
    expect.arrayContaining([
      ["retryDelaysMs", "preset"],
      ["maxAttempts", "min"],
      ["method", "one_of"],
    ]),
  );
  expect(view["retryDelaysMs"]).toEqual(
    [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(
      (seconds) => seconds * 1_000,
    ),
  );
});

test(
  "a policy that is changed while a retry waits holds for the attempts after it",
  async () => {
    const changed = {
      method: "PATCH",
      headers: { "x-now": "1" },
      notRetryableStatuses: [500],
    };
    let url = "";
    // Changed before the first attempt has its answer. A retry may still come before the dispatcher has read the change.
    const receiver = await aReceiver(async (_, nth) => {
      if (nth === 1) await call("PATCH", url, changed);
      return 500;
    });
    const made = await anEndpoint({
      url: receiver.url,
      retryDelaysMs: [1_000],
      maxAttempts: 100,
    });
    url = made.url;

    const id = await publish({ tenantId: made.tenantId });
    const letter = await deadLetterOf(id);

    expect(letter).toMatchObject({
      reason: "exhausted",
      detail: "the endpoint answered 500; this status is not retried",
    });
    const last = receiver.requests.at(-1);
    expect([last?.method, last?.headers["x-now"]]).toEqual(["PATCH", "1"]);
    expect(receiver.requests[0]?.method).toBe("POST");
    expect(letter.attempts).toBeGreaterThan(1);
  },
  LONG,
);

test(
  "a retry that waits is not sent any more once its endpoint allows fewer attempts",
  async () => {
    let url = "";
    const receiver = await aReceiver(async (_, nth) => {
      if (nth === 1) await call("PATCH", url, { maxAttempts: 1 });
      return 500;
    });
    const made = await anEndpoint({
      url: receiver.url,
      retryDelaysMs: [1_000],
      maxAttempts: 100,
    });
    url = made.url;

    const id = await publish({ tenantId: made.tenantId });
    const letter = await deadLetterOf(id);

    expect(letter).toMatchObject({
      reason: "exhausted",
      detail: "the endpoint allows fewer attempts now: 1 in all",
      last_status_code: 500,
    });
  },
  LONG,
);

test(
  "a delivery gets no attempt once it is as old as its endpoint's maximum age",
  async () => {
    const receiver = await aReceiver(500);
    const { tenantId } = await anEndpoint({
      url: receiver.url,
      retryDelaysMs: [2_000],
      maxAttempts: 100,
      maxAgeMs: 3_000,
    });

    const letter = await deadLetterOf(await publish({ tenantId }));

    expect(letter.reason).toBe("expired");
    // Attempts are two seconds apart, so within three there are two at most.
    expect(letter.attempts).toBeLessThanOrEqual(2);
  },
  LONG,
);

test(
  "an inline destination has its own waits, and statuses that are not retried",
  async () => {
    const receiver = await aReceiver([500, 418]);
    const policy = { retryDelaysMs: [1_000], notRetryableStatuses: [418] };

    const id = await publish(
      inlineTo(receiver.url, { ...policy, maxAttempts: 5 }),
    );

    expect(await deadLetterOf(id)).toEqual({
      reason: "exhausted",
      detail: "the endpoint answered 418; this status is not retried",
      attempts: 2,
      last_status_code: 418,
    });
  },
  LONG,
);

test(
  "an inline destination with waits has one attempt more than waits",
  async () => {
    const receiver = await aReceiver(500);

    const id = await publish(
      inlineTo(receiver.url, { retryDelaysMs: [1_000] }),
    );

    expect(await deadLetterOf(id)).toMatchObject({
      reason: "exhausted",
      attempts: 2,
    });
  },
  LONG,
);

test(
  "an inline destination that asks for ten years of pause gets its retry after a day",
  async () => {
    const receiver = await aReceiver({
      status: 503,
      headers: { "retry-after": "315360000" },
    });

    const id = await publish(inlineTo(receiver.url));
    const waitMs = await waitFor(
      async () =>
        (
          await rowsOf<{ wait: number }>(
            clickhouseUrl,
            `SELECT toFloat64(next_attempt_at) - toFloat64(started_at) AS wait FROM ${database}.attempts
             WHERE event_id = {id:String} AND status_code = 503`,
            { id },
          )
        )[0]?.wait,
      {
        what: "the attempt with the answer",
        everyMs: 200,
        timeoutMs: PATIENCE_MS,
      },
    );

    expect(waitMs * 1_000).toBeGreaterThanOrEqual(24 * HOUR);
    // The wait starts when the attempt has ended, which on a busy machine may take its 30 s.
    expect(waitMs * 1_000).toBeLessThan(24 * HOUR + 60_000);
  },
  LONG,
);

test(
  "an inline destination gets nothing before notBefore",
  async () => {
    const receiver = await aReceiver(200);
    const notBefore = Date.now() + 3_000;

    await publish({ ...inlineTo(receiver.url), notBefore });
    const [request] = await receiver.waitForRequests(1, {
      timeoutMs: PATIENCE_MS,
    });

    expect(request?.at).toBeGreaterThanOrEqual(notBefore);
  },
  LONG,
);

test(
  "an inline destination gets nothing once the event has expired, and no retry that would come later",
  async () => {
    const never = await aReceiver(200);
    const failing = await aReceiver(500);

    const past = await publish({ ...inlineTo(never.url), expiresAt: 1 });
    const soon = await publish({
      ...inlineTo(failing.url, { retryDelaysMs: [HOUR] }),
      expiresAt: Date.now() + HOUR / 2,
    });

    expect(await deadLetterOf(past)).toMatchObject({
      reason: "expired",
      detail: "expiresAt has passed",
      attempts: 0,
    });
    expect(await deadLetterOf(soon)).toMatchObject({
      reason: "expired",
      detail:
        "the endpoint answered 500; the next attempt would be after its expiresAt",
      attempts: 1,
    });
    expect(never.requests).toEqual([]);
  },
  LONG,
);

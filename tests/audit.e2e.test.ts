/** The audit trail from a change to a row: the services as processes, changes over the API and by a receiver's 410, and the list. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
  type ServiceName,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { rowsOf, startReceiver, useStack, waitFor } from "@postrider/testkit";

const TIERS = "1s,2s";
const stack = useStack();
const { clickhouseUrl, database, prefix } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-audit-"));
const keys = newKeys();
const started: RunningServices[] = [];

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  await migrate({ url: clickhouseUrl, database });
  await start();
}, 180_000);
afterAll(async () => {
  for (const each of started) await each.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

async function start(services?: readonly ServiceName[]): Promise<void> {
  started.push(
    await startServices({
      ...stack.forServices,
      ...keys,
      services,
      adminKey: "admin",
      logDirectory,
      env: {
        POSTRIDER_TIERS: TIERS,
        POSTRIDER_SESSION_TIMEOUT: "6s",
        POSTRIDER_ALLOW_HTTP: "true",
        POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      },
    }),
  );
}

async function call<T>(
  url: string | undefined,
  what: string,
  body?: unknown,
): Promise<T> {
  const [method = "", path = ""] = what.split(" ");
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: "Bearer admin",
      "if-match": "*",
      ...(method !== "GET" && { "x-audit-reason": `to see ${method}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return (text === "" ? null : JSON.parse(text)) as T;
}

interface Page {
  readonly entries: readonly {
    readonly at: string;
    readonly actor: string;
    readonly action: string;
    readonly why: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
  readonly nextCursor: string | null;
}

const audit = (query: string): Promise<Page> =>
  call(started[0]?.controlUrl, `GET /v1/audit?${query}`);

test("each change of an endpoint is a row, also the one that a 410 made, and the list pages through them", async () => {
  const receiver = await startReceiver({ answer: 410 });
  const control = started[0]?.controlUrl;
  const { id } = await call<{ id: string }>(control, "POST /v1/endpoints", {
    tenantId: "acme",
    url: `${receiver.url}/hook`,
    eventTypes: ["*"],
  });
  const path = `/v1/endpoints/${id}`;
  const state = async () =>
    (await call<{ state: string }>(control, `GET ${path}`)).state;
  let published = 0;
  await waitFor(
    async () => {
      // Route may not know the endpoint yet.
      await call(started[0]?.ingestUrl, "POST /v1/events", {
        id: `e_${(published += 1)}`,
        type: "order.paid",
        tenantId: "acme",
        payload: {},
      });
      return (await state()) === "disabled";
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
  await call(control, `POST ${path}/enable`);
  await call(control, `PATCH ${path}`, { timeoutMs: 5_000 });
  await call(control, `DELETE ${path}`);
  await receiver.close();

  const of = `subject=endpoint&subjectId=${id}`;
  await waitFor(async () => (await audit(of)).entries.length >= 5, {
    timeoutMs: 60_000,
  });
  const all = await audit(`${of}&tenantId=acme&since=1h&until=now`);

  const found = all.entries.map(({ actor, action }) => [actor, action]);
  // A delivery that was under way may have answered 410 once more, after the endpoint was enabled.
  expect(found.at(-1)).toEqual(["admin", "created"]);
  expect(found.at(-2)).toEqual(["postrider", "disabled"]);
  expect(found.at(-3)).toEqual(["admin", "enabled"]);
  expect(found[0]).toEqual(["admin", "deleted"]);
  expect(found).toContainEqual(["admin", "changed"]);
  expect(all.entries.at(-2)?.why).toMatch(/^gone: /);
  expect(all.entries.at(-1)).toMatchObject({
    why: "to see POST",
    detail: { url: { to: `${receiver.url}/hook` } },
  });
  expect(all.nextCursor).toBeNull();

  const paged: unknown[] = [];
  let cursor: string | null = null;
  do {
    const next: Page = await audit(
      `${of}&limit=2${cursor === null ? "" : `&cursor=${cursor}`}`,
    );
    expect(next.entries.length).toBeLessThanOrEqual(2);
    paged.push(...next.entries);
    cursor = next.nextCursor;
  } while (cursor !== null);
  expect(paged).toEqual(all.entries);

  expect((await audit(`${of}&action=changed`)).entries).toHaveLength(1);
  expect((await audit("actor=postrider")).entries.length).toBeGreaterThan(0);
  expect((await audit(`${of}&tenantId=other`)).entries).toEqual([]);
}, 180_000);

test("each record is a row once, also after a kill of the recorder, and the group's lag ends at 0", async () => {
  const control = started[0]?.controlUrl;
  const { id } = await call<{ id: string }>(control, "POST /v1/endpoints", {
    tenantId: "acme",
    url: "https://example.com/",
    eventTypes: ["*"],
  });
  const recorder = started[0]!.services.find(
    ({ name }) => name === "recorder",
  )!;
  const change = (n: number) =>
    call(control, `PATCH /v1/endpoints/${id}`, { description: `n${n}` });
  for (let n = 1; n <= 5; n += 1) await change(n);

  process.kill(recorder.pid, "SIGKILL");
  for (let n = 6; n <= 10; n += 1) await change(n);
  await start(["recorder"]);

  const counts = async () =>
    await rowsOf(
      clickhouseUrl,
      `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(log_partition, log_offset)) AS records FROM ${database}.audit WHERE subject_id = '${id}'`,
    );
  await waitFor(
    async () => {
      expect(await counts()).toEqual([{ rows: 11, records: 11 }]);
      return true;
    },
    { timeoutMs: 90_000 },
  );
  await waitFor(async () => (await lag()).every(([at, end]) => at === end), {
    timeoutMs: 30_000,
    what: "the group to be behind the last transaction's marker",
  });
}, 180_000);

/** What the recorder's group has committed of each partition of `audit`, and where the partition ends; an empty one is left out. */
async function lag(): Promise<(readonly [number, number])[]> {
  const topics = [`${prefix}audit`];
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    const ends = await admin.fetchLogRanges(topics);
    const committed = await admin.fetchCommitted(
      `${prefix}recorder.audit`,
      topics,
    );
    return ends
      .filter(({ end }) => end > 0)
      .map(({ partition, end }) => {
        const found = committed.find((one) => one.partition === partition);
        return [found?.offset ?? -1, end];
      });
  } finally {
    await admin.disconnect();
  }
}

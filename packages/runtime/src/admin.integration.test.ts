import { afterEach, expect, test } from "@jest/globals";
import { startAdmin, type Admin, type AdminHealth } from "./admin.ts";
import type { Check } from "./effects.ts";
import { createMeter } from "./meter.ts";

let admin: Admin | undefined;
afterEach(() => admin?.stop(Date.now()));

const fine: Check = { name: "loop", isOk: true, detail: "turned" };

async function start(health: Partial<AdminHealth>) {
  admin = startAdmin({
    host: "127.0.0.1",
    port: 0,
    health: {
      live: () => [fine],
      ready: () => [fine],
      startup: () => [fine],
      ...health,
    },
    meter: createMeter({ service: "test" }),
  });
  await admin.start();
  return admin.url();
}

test("readiness is 503 with each check while one of them fails, and liveness stays 200", async () => {
  const away = { name: "kafka", isOk: false, detail: "no broker answers" };
  const origin = await start({ ready: () => [fine, away] });

  const ready = await fetch(`${origin}/readyz`);
  const live = await fetch(`${origin}/livez`);

  expect([ready.status, live.status]).toEqual([503, 200]);
  expect(await ready.json()).toEqual({
    ready: false,
    pid: process.pid,
    checks: [fine, away],
  });
  expect(await live.json()).toEqual({
    live: true,
    pid: process.pid,
    checks: [fine],
  });
});

test("the start is over for good: a dependency that fails later shows in readiness alone", async () => {
  const starting = { name: "started", isOk: false, detail: "starting" };
  const away = { name: "kafka", isOk: false, detail: "no broker answers" };
  let checks: readonly Check[] = [starting];
  const origin = await start({ ready: () => [away], startup: () => checks });
  const status = async (path: string): Promise<number> =>
    (await fetch(origin + path)).status;

  const before = await status("/startupz");
  checks = [fine];
  const after = await (await fetch(`${origin}/startupz`)).json();

  expect(before).toBe(503);
  expect(after).toEqual({ started: true, pid: process.pid, checks: [fine] });
  expect(await status("/startupz")).toBe(200);
  expect(await status("/readyz")).toBe(503);
});

test("a check that throws is a 503, not a crash", async () => {
  const origin = await start({
    ready: () => {
      throw new Error("not yet");
    },
  });

  expect((await fetch(`${origin}/readyz`)).status).toBe(503);
});

test("metrics carry the process's own figures", async () => {
  const origin = await start({});

  const page = await (await fetch(`${origin}/metrics`)).text();

  for (const name of [
    "heap_used_bytes",
    "open_sockets",
    "active_timers",
    'active_resources{type="TCPSocketWrap"',
    'event_loop_lag_seconds{quantile="0.99"',
  ])
    expect(page).toContain(`postrider_${name}`);
});

test("the metrics say whether the process is ready, also while a check throws", async () => {
  let ready = (): Check[] => [fine];
  const origin = await start({ ready: () => ready() });
  const shown = async (): Promise<string | undefined> =>
    /^postrider_ready\S* (\d)$/m.exec(
      await (await fetch(`${origin}/metrics`)).text(),
    )?.[1];

  const atFirst = await shown();
  ready = () => [fine, { name: "kafka", isOk: false, detail: "away" }];
  const away = await shown();
  ready = () => {
    throw new Error("not yet");
  };

  expect([atFirst, away, await shown()]).toEqual(["1", "0", "0"]);
});

test("another path is a 404 that names the paths there are", async () => {
  const origin = await start({});

  const response = await fetch(`${origin}/`);

  expect(response.status).toBe(404);
  expect(await response.text()).toContain("/readyz");
});

test("a port that is taken rejects the start", async () => {
  const origin = await start({});

  const second = startAdmin({
    host: "127.0.0.1",
    port: Number(new URL(origin).port),
    health: { live: () => [], ready: () => [], startup: () => [] },
    meter: createMeter({ service: "test" }),
  });

  await expect(second.start()).rejects.toThrow("EADDRINUSE");
  await second.stop(Date.now());
});

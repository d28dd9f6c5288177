import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, jest, test } from "@jest/globals";
import { LONGEST_STOP_MS } from "@postrider/runtime";
import { waitFor } from "@postrider/testkit";
import { CliError } from "../cli-error.ts";
import { SERVICE_NODE_ARGS } from "./service-memory.ts";
import {
  startServices,
  type RunningServices,
  type StartServicesOptions,
} from "./services.ts";

const logDirectory = mkdtempSync(join(tmpdir(), "postrider-services-"));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
let running: RunningServices | undefined;
afterEach(async () => await running?.stop());
afterAll(() => rmSync(logDirectory, { recursive: true, force: true }));

function start(overrides: Partial<StartServicesOptions> = {}) {
  return startServices({
    stack: {
      kafka: { brokers: ["127.0.0.1:1"] },
      clickhouse: { url: "http://127.0.0.1:1" },
      schemaRegistry: null,
    },
    prefix: "t1.",
    database: "t1",
    adminKey: "k",
    encryptionKeys: "k:k",
    logDirectory,
    mainOf: () => fixture("service/main.ts"),
    ...overrides,
  });
}

test("all services become ready, each with its own admin port, log and environment", async () => {
  const told: string[] = [];

  running = await start({ onProgress: (text) => told.push(text) });

  expect(running.services.map((service) => service.name)).toEqual([
    "ingest",
    "dispatcher",
    "retry-scheduler",
    "recorder",
    "control",
  ]);
  const urls = running.services.map((service) => service.adminUrl);
  expect(new Set(urls).size).toBe(5);
  expect([running.ingestUrl, running.controlUrl]).not.toContain("");
  expect(readFileSync(join(logDirectory, "control.log"), "utf8")).toContain(
    '"prefix":"t1."',
  );
  expect(told[0]).toContain("waiting for ingest, dispatcher");
  expect(told.at(-1)).toBe("all services are ready");
});

test("a service starts with what keeps its memory small; arenas that the environment sets stay", async () => {
  const log = async (env: Readonly<Record<string, string>>) => {
    running = await start({ services: ["recorder"], env });
    await running.stop();
    return readFileSync(join(logDirectory, "recorder.log"), "utf8");
  };

  const ours = await log({});
  const theirs = await log({ MALLOC_ARENA_MAX: "7" });

  const nodeArgs = SERVICE_NODE_ARGS.join(" ");
  expect(ours).toContain(`"nodeArgs":"${nodeArgs}","arenas":"2"`);
  expect(theirs).toContain('"arenas":"7"');
});

test("a stop lets every service stop in good order, and twice is safe", async () => {
  running = await start({ services: ["dispatcher", "dispatcher"] });

  await Promise.all([running.stop(), running.stop()]);

  for (const service of running.services) {
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(readFileSync(service.logFile, "utf8")).toContain("fixture.stopped");
  }
});

test("a service that takes as long to stop as services may is not killed, and is named", async () => {
  const told: string[] = [];
  running = await start({
    services: ["dispatcher"],
    env: { FIXTURE: "stops when told" },
    onLateStop: (text) => told.push(text),
  });
  jest.useFakeTimers();

  const stopped = running.stop();
  jest.advanceTimersByTime(LONGEST_STOP_MS + 1_000);
  jest.useRealTimers();

  expect(told).toEqual([
    "Waiting for dispatcher: it finishes what is under way (an attempt may take a minute), for up to 75 s. Ctrl-C again ends it at once.",
  ]);
  const [service] = running.services;
  const log = (): string => readFileSync(service!.logFile, "utf8");
  await waitFor(() => log().includes("service.stopping"));
  service!.child.kill("SIGUSR2");
  await stopped;
  expect(await service!.exited).toEqual({ code: 0, signal: null });
});

test("a service that ends while it starts is named, with the end of its log", async () => {
  const error = await refusal(
    start({ env: { FIXTURE: "dies" }, services: ["recorder"] }),
  );

  expect(error.message).toMatch(
    /^The service recorder ended while it started \(exit code 1\): .*the topic is missing/,
  );
  expect(error.why).toContain("the topic is missing");
});

test("a service that is not ready in time is named, with the check that fails, and nothing is left running", async () => {
  const pids: number[] = [];
  let said = "";
  // On a slow machine the process may not answer at all within the first time.
  for (const readyTimeoutMs of [2_000, 10_000, 50_000]) {
    if (said.includes("kafka:")) break;
    const waits = {
      env: { FIXTURE: "waits" },
      services: ["dispatcher"],
    } as const;
    said = (await refusal(start({ ...waits, readyTimeoutMs }))).message;
  }

  expect(said).toContain("kafka: no broker answers");
  for (const line of readFileSync(join(logDirectory, "dispatcher.log"), "utf8")
    .trim()
    .split("\n"))
    pids.push((JSON.parse(line) as { pid: number }).pid);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("services end when whoever started them is killed", async () => {
  const parent = spawn(process.execPath, [fixture("parent.ts"), logDirectory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  expect(pids.filter(isAlive)).toHaveLength(2);

  parent.kill("SIGKILL");

  await waitFor(() => !pids.some(isAlive));
});

test("a second Ctrl-C ends at once services that are still stopping", async () => {
  const args = [fixture("parent.ts"), logDirectory, "stops when told"];
  const parent = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const pids = JSON.parse((await lines.next()).value as string) as number[];

  parent.kill("SIGINT");
  expect((await lines.next()).value).toMatch(
    /^Waiting for dispatcher, recorder/,
  );
  parent.kill("SIGINT");

  const [code] = (await once(parent, "exit")) as [number];
  expect(code).toBe(130);
  await waitFor(() => !pids.some(isAlive));
});

async function refusal(starting: Promise<RunningServices>): Promise<CliError> {
  try {
    running = await starting;
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("it started");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A killed process stays in the process table (a zombie) until its parent has waited for it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** `postrider dev` on the test run's Kafka and ClickHouse, with the other commands that people use beside it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { useStack, waitFor } from "@postrider/testkit";
import type { DevFile } from "../dev-folder.ts";
import { startReceiver, type ReceivedRequest } from "../receiver.ts";

const stack = useStack();
const bin = fileURLToPath(new URL("../../bin/postrider.js", import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), "postrider-dev-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const devJson = join(cwd, ".postrider/dev.json");
let dev: ChildProcess | undefined;
afterEach(() => void dev?.kill("SIGKILL"));

function start(args: readonly string[]) {
  return spawn(process.execPath, [bin, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      ...(args[0] === "dev" && {
        KAFKA_BROKERS: stack.brokers.join(","),
        CLICKHOUSE_URL: stack.clickhouseUrl,
        POSTRIDER_TOPIC_PREFIX: stack.prefix,
        POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
        POSTRIDER_TIERS: "1s,2s",
      }),
    },
  });
}

async function startDev() {
  const own = start(["dev"]);
  dev = own;
  const told = { stderr: "" };
  own.stderr.on("data", (chunk) => (told.stderr += String(chunk)));
  own.stdout.resume();
  await waitFor(() => existsSync(devJson) || own.exitCode !== null, {
    timeoutMs: 120_000,
    what: "dev.json",
  });
  if (own.exitCode !== null) throw new Error(told.stderr);
  const file = JSON.parse(readFileSync(devJson, "utf8")) as DevFile;
  return { own, told, file };
}

interface Status {
  readonly ready: boolean;
  readonly services: readonly {
    readonly name: string;
    readonly lagRecords: number | null;
  }[];
}

/** Runs the command. `line` is split into arguments at blanks; each text of `more` is one argument. */
async function postrider(line: string, ...more: readonly string[]) {
  const own = start([...line.split(" "), ...more]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(own.stdout),
    text(own.stderr),
    once(own, "close"),
  ]);
  return { code: code as number, stdout, stderr };
}

test("dev runs everything, the other commands find it, and Ctrl-C leaves nothing", async () => {
  const { own, told, file } = await startDev();
  expect(statSync(devJson).mode & 0o777).toBe(0o600);
  expect(Object.keys(file)).toEqual([
    "version",
    "kafka",
    "clickhouse",
    "schemaRegistry",
    "topicPrefix",
    "adminKey",
    "ingest",
    "control",
    "services",
  ]);

  const another = start(["start", "dispatcher", "--json"]);
  await waitFor(async () => {
    const { stdout } = await postrider("status --json");
    const { ready, services } = JSON.parse(stdout) as Status;
    expect(ready).toBe(true);
    expect(services.map(({ name }) => name)).toEqual([
      ...file.services.map(({ name }) => name),
      "dispatcher",
    ]);
    expect(services.map(({ lagRecords }) => lagRecords)).not.toContain(null);
    return true;
  });
  another.kill("SIGINT");
  await once(another, "exit");
  const status = await postrider("status --json");
  expect((JSON.parse(status.stdout) as Status).services).toHaveLength(5);

  const plan = await postrider("topics plan");
  expect(plan).toMatchObject({ code: 0, stdout: "Nothing to change.\n" });
  expect(plan.stderr).toBe("");
  const larger = await postrider("topics plan --partitions 12");
  expect(larger.stdout).toBe("Nothing to change.\n");
  expect(larger.stderr).toContain(`${stack.prefix}deliveries 4 (of 12)`);
  const grown = await postrider("topics plan --partitions 12 --grow");
  expect(grown.stdout).toContain(
    `add partitions to ${stack.prefix}deliveries: 4 → 12`,
  );
  expect(grown.stdout).not.toContain(`${stack.prefix}endpoints`);
  expect(grown.stderr).toContain(
    `${stack.prefix}endpoints: compacted, never grown`,
  );

  const second = await postrider("dev");
  expect(second.code).toBe(5);
  expect(second.stderr).toContain(`process ${own.pid}`);

  const seen: ReceivedRequest[] = [];
  const receiver = await startReceiver({
    port: 0,
    secrets: [],
    failFirst: 1,
    slowMs: 0,
    status: 200,
    onRequest: (request) => seen.push(request),
  });
  const created = await postrider(
    `endpoints create --json --tenant acme --url ${receiver.url}/hooks`,
  );
  expect(created.code).toBe(0);
  await endpointIsKnown(file);
  const published = await postrider(
    "publish --tenant acme --type order.paid --id o-1 --wait --json --payload",
    '{"n":12345678901234567890}',
  );
  expect(published).toMatchObject({ code: 0 });
  expect(seen.map(({ body, status: answered }) => [body, answered])).toEqual([
    ['{"n":12345678901234567890}', 500],
    ['{"n":12345678901234567890}', 200],
  ]);
  const repeated = await postrider(
    "publish --tenant acme --type order.paid --id o-1 --wait --payload 1",
  );
  expect(repeated).toMatchObject({ code: 0 });
  expect(repeated.stderr).toContain("duplicate, and nothing was sent");
  expect(seen).toHaveLength(2);
  await receiver.stop();

  const tail = await postrider(
    "topics tail attempts --from-beginning --limit 1 --json",
  );
  expect(JSON.parse(tail.stdout)).toMatchObject({
    topic: `${stack.prefix}attempts`,
    value: { eventId: "o-1", attemptNumber: 1, outcome: "http_error" },
  });
  const rows = await postrider(
    "query --json",
    "SELECT status_code FROM attempts ORDER BY attempt_number",
  );
  expect(JSON.parse(rows.stdout)).toMatchObject({ rows: [[500], [200]] });

  own.kill("SIGINT");
  const [code] = (await once(own, "close")) as [number];
  expect(code).toBe(0);
  expect(told.stderr).toMatch(
    /Stopping…\n(.*\n)*Everything that was started has been stopped\.\n$/,
  );
  expect(existsSync(devJson)).toBe(false);
  expect(file.services.map(({ pid }) => pid).filter(isAlive)).toEqual([]);
}, 300_000);

test("a service that dies is named with the command that starts it, and a killed dev leaves none", async () => {
  const { own, told, file } = await startDev();
  const [ingest] = file.services;

  process.kill(ingest?.pid ?? 0, "SIGKILL");

  await waitFor(() => told.stderr.includes("npx postrider start ingest"));
  expect(told.stderr).toContain("ingest has ended (SIGKILL)");
  own.kill("SIGKILL");
  await waitFor(() => !file.services.some(({ pid }) => isAlive(pid)));
  const status = await postrider("status");
  expect(status.code).toBe(3);
  expect(status.stderr).toContain("not running any more");
  expect(status.stderr).toContain("next: npx postrider dev");
});

/** Waits until route knows the endpoint: control has answered, but route may be a moment behind. */
async function endpointIsKnown(file: DevFile): Promise<void> {
  const gauge = /^postrider_table_entries\{[^}]*endpoints"[^}]*\} 1$/m;
  for (const { name, adminUrl } of file.services)
    if (name === "ingest" || name === "dispatcher")
      await waitFor(async () =>
        gauge.test(await (await fetch(`${adminUrl}/metrics`)).text()),
      );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Runs the programs of docs/publishing.md as they are, against services in processes of their own, and waits for what they publish at receivers. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newKeys, startServices, type RunningServices } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { KAFKA_VERSION } from "@postrider/local-stack";
import { verify } from "@postrider/signing";
import {
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import {
  ExampleProcesses,
  IN_PYTHON,
  type RunningReceiver,
} from "./example-receivers.ts";
import { onlyWith } from "./only-with.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
/** The first `go run` of a machine compiles Go's standard library, too. */
const COMPILING_MS = 300_000;
const TIERS = "1s,2s";
const SECRET = "whsec_cHVibGlzaGluZyBpbiBtYW55IGxhbmd1YWdlcyE=";
const stack = useStack();
const { prefix } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-publishing-"));
const processes = new ExampleProcesses();

/** Where the local stack keeps Kafka's jars, and with them Java's client. */
const jars = join(
  process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
  `postrider/kafka-${KAFKA_VERSION}`,
);
const python = onlyWith(...IN_PYTHON.probe);
const go = onlyWith("go", "version");
const kcat = onlyWith("kcat", "-V");
const javac = onlyWith("javac", "--version");
const java = existsSync(jars)
  ? javac
  : { testHere: test.skip, note: ` (${jars} is not there)` };

let services: RunningServices;
let receiver: Receiver;
let pythonReceiver: RunningReceiver | undefined;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  receiver = await startReceiver();
  if (python.isHere)
    pythonReceiver = await processes.start(IN_PYTHON, [SECRET]);
  services = await startServices({
    ...stack.forServices,
    services: ["ingest", "dispatcher", "retry-scheduler", "control"],
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
  const urls = [receiver.url, pythonReceiver?.url].filter(
    (url) => url !== undefined,
  );
  for (const url of urls) await createEndpoint(url);
  for (const name of ["ingest", "dispatcher"])
    await waitFor(async () => (await endpointsKnownTo(name)) === urls.length, {
      what: `${name} to know the endpoints`,
    });
}, 180_000);
afterAll(async () => {
  await services?.stop();
  await receiver?.close();
  await processes.end();
  rmSync(logDirectory, { recursive: true, force: true });
});

async function createEndpoint(url: string): Promise<void> {
  const response = await fetch(`${services.controlUrl}/v1/endpoints`, {
    method: "POST",
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
    },
    body: JSON.stringify({
      tenantId: "acme",
      url,
      eventTypes: ["order.*"],
      secret: SECRET,
    }),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function endpointsKnownTo(service: string): Promise<number> {
  const { adminUrl } = services.services.find(({ name }) => name === service)!;
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const name = `postrider_table_entries{topic="${prefix}endpoints"`;
  const line = text.split("\n").find((each) => each.startsWith(name));
  return Number(line?.split(" ").at(-1));
}

/** Runs a command in the repository's folder, as the documentation has it, to its end. */
async function ran(
  command: string,
  args: readonly string[],
  input?: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const running = run(command, args, {
    cwd: root,
    timeout: COMPILING_MS,
    env: {
      ...process.env,
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: prefix,
      INGEST: services.ingestUrl,
      KEY: "admin",
    },
  });
  if (input !== undefined) running.child.stdin?.end(input);
  return await running;
}

/** Returns what it printed. */
const runIt = async (...of: Parameters<typeof ran>): Promise<string> =>
  (await ran(...of)).stdout;

async function inJava(file: string, ...args: string[]): Promise<string> {
  const given = ["-cp", join(jars, "*"), `examples/${file}`, ...args];
  const { stdout, stderr } = await ran("java", given);
  // Kafka's client tells all its settings otherwise; a warning may come.
  expect(stderr).not.toMatch(/\b(INFO|DEBUG)\b/);
  return stdout;
}

/** Resolves once the receiver has each of these payloads, all of them signed, and so has the one in Python. */
async function expectDelivered(payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) {
    const { headers, body } = await waitFor(
      () =>
        receiver.requests.find(({ body: bytes }) => String(bytes) === payload),
      { timeoutMs: 60_000, what: `${payload} to be delivered` },
    );
    expect(verify({ headers, body, secrets: [SECRET] })).toMatchObject({
      ok: true,
    });
    if (pythonReceiver !== undefined)
      await waitFor(
        () => pythonReceiver?.lines().some((line) => line.endsWith(payload)),
        {
          timeoutMs: 60_000,
          what: `${payload} to be taken by the one in Python`,
        },
      );
  }
}

const order = (id: number): string => `{"orderId":${id},"total":12.50}`;

test("TypeScript: every form arrives, byte for byte", async () => {
  await runIt(process.execPath, [
    "--disable-warning=TimeoutNegativeWarning",
    "examples/forms.ts",
    "envelope",
    "avro",
    "cloudevent-binary",
    "cloudevent-structured",
  ]);

  await expectDelivered([order(1), order(2), order(3), order(4)]);
});

java.testHere(
  `Java: every form arrives, byte for byte${java.note}`,
  async () => {
    await inJava(
      "Forms.java",
      "envelope",
      "cloudevent-binary",
      "cloudevent-structured",
    );

    await expectDelivered([order(11), order(13), order(14)]);
  },
);

java.testHere(
  `Java: events of an aborted transaction are never delivered, those of a committed one are${java.note}`,
  async () => {
    const printed = await inJava("Transactions.java");

    // The broker has all four records: an abort leaves what was written where it is.
    expect(printed.match(/^aborted: \d+@\d+$/gm)).toHaveLength(2);
    expect(printed.match(/^committed: \d+@\d+$/gm)).toHaveLength(2);
    await expectDelivered([order(201), order(202)]);
    // Route takes each partition in order: once it has these, it has gone past the transactions.
    await publishInEachPartition([order(301), order(302)]);
    await expectDelivered([order(301), order(302)]);
    await waitFor(isAllDelivered, { what: "every delivery to be attempted" });
    const orders = receiver.requests.map(({ body }) => String(body));
    expect(orders).not.toContain(order(101));
    expect(orders).not.toContain(order(102));
    expect(pythonReceiver?.lines().join("\n") ?? "").not.toContain(
      '"orderId":10',
    );
  },
);

python.testHere(
  `Python: an event that is published over HTTP arrives${python.note}`,
  async () => {
    const printed = await runIt("python3", ["examples/door.py"]);

    expect(printed).toBe(
      "{'events': [{'id': 'python-1', 'tenantId': 'acme'}]}\n",
    );
    await expectDelivered(['{"orderId": 21, "total": "12.50"}']);
  },
);

go.testHere(
  `Go: an event that is published over HTTP arrives${go.note}`,
  async () => {
    const printed = await runIt("go", ["run", "examples/door.go"]);

    expect(printed).toBe('{"events":[{"id":"go-1","tenantId":"acme"}]}\n');
    await expectDelivered(['{"orderId":22,"total":"12.50"}']);
  },
  2 * COMPILING_MS,
);

kcat.testHere(
  `kcat: an envelope and a CloudEvent arrive${kcat.note}`,
  async () => {
    const common = `-P -b ${stack.brokers.join(",")} -t ${prefix}events -X partitioner=murmur2_random`;
    await runIt(
      "kcat",
      [...common.split(" "), "-k", "acme:kcat-1"],
      `{"id":"kcat-1","type":"order.paid","tenantId":"acme","payload":${order(31)}}`,
    );
    const headers = [
      "ce_specversion=1.0",
      "ce_id=kcat-3",
      "ce_source=/shop",
      "ce_type=order.paid",
      "ce_tenantid=acme",
      "content-type=application/json",
    ].flatMap((header) => ["-H", header]);
    await runIt(
      "kcat",
      [...common.split(" "), "-k", "acme:kcat-3", ...headers],
      order(33),
    );

    await expectDelivered([order(31), order(33)]);
  },
);

async function publishInEachPartition(
  payloads: readonly string[],
): Promise<void> {
  const producer = await stack.kafka().createProducer();
  try {
    await producer.sendBatch(
      payloads.map((payload, partition) => ({
        topic: `${prefix}events`,
        partition,
        key: null,
        value: Buffer.from(
          `{"id":"last-${partition}","type":"order.paid","tenantId":"acme","payload":${payload}}`,
        ),
      })),
    );
  } finally {
    await producer.disconnect();
  }
}

/** Whether the dispatcher has committed all of `deliveries`. */
async function isAllDelivered(): Promise<boolean> {
  const topics = [`${prefix}deliveries`];
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    const ranges = await admin.fetchLogRanges(topics);
    const committed = await admin.fetchCommitted(`${prefix}dispatcher`, topics);
    return ranges.every(
      ({ partition, end }) =>
        end === 0 ||
        committed.some(
          (one) => one.partition === partition && one.offset === end,
        ),
    );
  } finally {
    await admin.disconnect();
  }
}

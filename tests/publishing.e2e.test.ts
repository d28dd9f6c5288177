/** Runs the programs of docs/publishing.md as they are, against services in processes of their own, and waits for what they publish at receivers. */
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newKeys, startServices, type RunningServices } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import type { Admin } from "@postrider/messaging";
import { verify } from "@postrider/signing";
import {
  startReceiver,
  useRegistry,
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
import {
  BARE,
  LANGUAGES,
  ROOT,
  type Command,
  type Language,
} from "./publishing/languages.ts";
import {
  COMMANDS,
  order,
  PROGRAMS,
  SHORT_PROGRAMS,
} from "./publishing/programs.ts";

const run = promisify(execFile);
/** The first `go run` of a machine compiles Go's standard library, too. */
const COMPILING_MS = 300_000;
const TIERS = "1s,2s";
const SECRET = "whsec_cHVibGlzaGluZyBpbiBtYW55IGxhbmd1YWdlcyE=";
const stack = useStack();
const { prefix } = stack;
const registry = useRegistry();
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-publishing-"));
/** Inside the checkout, where a program in TypeScript finds its packages. */
const copies = join(ROOT, ".cache", `publishing-${process.pid}`);
const processes = new ExampleProcesses();
const python = onlyWith(...IN_PYTHON.probe);

const SOURCE_TOPICS = ["shop.orders", "shop.parcels"];

let topicsBefore: readonly string[] = SOURCE_TOPICS;
let services: RunningServices;
let receiver: Receiver;
let pythonReceiver: RunningReceiver | undefined;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  topicsBefore = await withAdmin((admin) => admin.listTopics());
  receiver = await startReceiver();
  if (python.isHere)
    pythonReceiver = await processes.start(IN_PYTHON, [SECRET]);
  services = await startServices({
    ...stack.forServices,
    stack: {
      ...stack.forServices.stack,
      schemaRegistry: registry.isThere ? { url: registry.url } : null,
    },
    services: ["ingest", "dispatcher", "retry-scheduler", "control"],
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_SOURCES_FILE: join(ROOT, "examples/sources.yaml"),
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
  // Their names are those of examples/sources.yaml, without this file's prefix. Somebody's own are left alone.
  const made = SOURCE_TOPICS.filter((topic) => !topicsBefore.includes(topic));
  await withAdmin((admin) => admin.deleteTopics(made));
  for (const folder of [logDirectory, copies])
    rmSync(folder, { recursive: true, force: true });
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
      eventTypes: ["order.*", "parcel.*"],
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

/** Runs a command in the repository's folder, as the documentation has it, and returns what it printed. */
async function runIt({ command, args, env }: Command): Promise<string> {
  const { stdout, stderr } = await run(command, args, {
    cwd: ROOT,
    timeout: COMPILING_MS,
    env: {
      ...process.env,
      KAFKA_BROKERS: stack.brokers.join(","),
      SCHEMA_REGISTRY_URL: registry.url,
      POSTRIDER_TOPIC_PREFIX: prefix,
      INGEST: services.ingestUrl,
      KEY: "admin",
      ...env,
    },
  });
  // Kafka's client in Java tells all its settings otherwise; a warning may come.
  expect(stderr).not.toMatch(/\b(INFO|DEBUG)\b/);
  return stdout;
}

async function runExample(
  running: Language["run"],
  file: string,
  ...args: string[]
): Promise<string> {
  const program = running(join(ROOT, "examples", file));
  return await runIt({ ...program, args: [...program.args, ...args] });
}

/** A text with this file's topic in place of the one that it names. */
const withOurTopic = (text: string): string =>
  text.replaceAll("postrider.events", `${prefix}events`);

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

for (const { language, file, sends } of PROGRAMS) {
  const { http, "avro-registry": framed, ...others } = sends;
  const languages = http === undefined ? LANGUAGES : BARE;
  const { testHere, run: running, note } = languages[language];

  if (http !== undefined)
    testHere(
      `${file}: an event that is published over HTTP arrives${note}`,
      async () => {
        const printed = await runExample(running, file);

        expect(printed).toMatch(/^{.events.: ?\[{.id.: ?.\w+-\d.,/);
        await expectDelivered([http]);
      },
      2 * COMPILING_MS,
    );
  if (Object.keys(others).length > 0)
    testHere(
      `${file}: ${Object.keys(others).join(", ")}: each arrives, byte for byte${note}`,
      async () => {
        await runExample(running, file, ...Object.keys(others));

        await expectDelivered(Object.values(others));
      },
      2 * COMPILING_MS,
    );
  if (framed !== undefined)
    (registry.isThere ? testHere : test.skip)(
      `${file}: Avro in a registry's framing arrives${note}`,
      async () => {
        await runExample(running, file, "avro-registry");

        await expectDelivered([framed]);
      },
      2 * COMPILING_MS,
    );
}

for (const { language, file, sends } of SHORT_PROGRAMS) {
  const { testHere, run: running, note } = LANGUAGES[language];

  testHere(`${file} of the README: its event arrives${note}`, async () => {
    mkdirSync(copies, { recursive: true });
    const copy = join(copies, basename(file));
    const text = readFileSync(join(ROOT, "examples", file), "utf8");
    writeFileSync(copy, withOurTopic(text));

    await runIt(running(copy));

    await expectDelivered(Object.values(sends));
  });
}

for (const [command, sends] of Object.entries(COMMANDS)) {
  const { testHere, note } = onlyWith(command, "-V");

  testHere(
    `${command}, as docs/publishing.md has it: each of its events arrives${note}`,
    async () => {
      const page = readFileSync(join(ROOT, "docs/publishing.md"), "utf8");
      const [block = ""] = page
        .split(/^```/m)
        .filter(
          (each) => each.startsWith("sh\n") && each.includes(`${command} -`),
        );

      await runIt({
        command: "bash",
        args: ["-euc", withOurTopic(block.slice("sh\n".length))],
      });

      await expectDelivered(Object.values(sends));
    },
  );
}

LANGUAGES.Java.testHere(
  `Java: events of an aborted transaction are never delivered, those of a committed one are${LANGUAGES.Java.note}`,
  async () => {
    const printed = await runExample(LANGUAGES.Java.run, "Transactions.java");

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
    expect(pythonReceiver?.lines().join("\n") ?? "").not.toMatch(
      /"orderId":10[12]\b/,
    );
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
  return await withAdmin(async (admin) => {
    const ranges = await admin.fetchLogRanges(topics);
    const committed = await admin.fetchCommitted(`${prefix}dispatcher`, topics);
    return ranges.every(
      ({ partition, end }) =>
        end === 0 ||
        committed.some(
          (one) => one.partition === partition && one.offset === end,
        ),
    );
  });
}

async function withAdmin<Result>(
  ask: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

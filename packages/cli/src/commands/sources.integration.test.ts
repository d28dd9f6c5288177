/** `postrider sources try`, and `doctor` over sources, against a real Kafka. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Admin } from "@postrider/messaging";
import { useStack } from "@postrider/testkit";

const bin = fileURLToPath(new URL("../../bin/postrider.js", import.meta.url));
const stack = useStack();
const cwd = mkdtempSync(join(tmpdir(), "postrider-sources-"));
const ORDERS = `${stack.prefix}shop.orders`;
let admin: Admin;

function fileOf(text: string): string {
  const file = join(cwd, "sources.yaml");
  writeFileSync(file, text);
  return file;
}

const source = (topic: string): string =>
  `  - {topic: ${topic}, format: json, tenantId: {path: $.tenant}, type: {literal: order.paid}, payload: {path: $.order}}\n`;

interface Ran {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function postrider(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const all = {
    PATH: process.env["PATH"],
    KAFKA_BROKERS: stack.brokers.join(),
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    ...env,
  };
  return await new Promise((resolve) =>
    execFile(bin, [...args], { env: all, cwd }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

beforeAll(async () => {
  await stack.createTopics("shop.orders", "empty");
  admin = stack.kafka().admin();
  await admin.connect();
  const producer = await stack.kafka().createProducer();
  const values = [
    ...Array.from({ length: 12 }, (_, i) => `{"tenant":"acme","order":[${i}]}`),
    `{"order":{}}`,
    "no JSON",
  ];
  for (const value of values)
    await producer.sendBatch([
      {
        topic: ORDERS,
        partition: 0,
        key: null,
        value: Buffer.from(value),
      },
    ]);
  await producer.sendBatch([
    {
      topic: ORDERS,
      partition: 1,
      key: null,
      value: Buffer.from(`{"tenant":"acme","order":[1.0 ]}`),
    },
  ]);
  await producer.disconnect();
});
afterAll(async () => {
  await admin.disconnect();
  rmSync(cwd, { recursive: true, force: true });
});

test("the last records are shown as what they would become, or with the reason why not; no group is made", async () => {
  const file = fileOf(`sources:\n${source(ORDERS)}`);
  const before = await admin.listGroups();

  const { code, stdout } = await postrider([
    "sources",
    "try",
    file,
    "--last",
    "4",
    "--json",
  ]);

  expect(code).toBe(0);
  const { records } = JSON.parse(stdout) as { records: unknown[] };
  expect(records).toMatchObject([
    {
      topic: ORDERS,
      partition: 0,
      offset: 11,
      event: {
        id: `${ORDERS}:0:11`,
        type: "order.paid",
        tenantId: "acme",
        payload: "[11]",
        payloadBytes: 4,
      },
      problems: [],
    },
    {
      offset: 12,
      event: null,
      problems: [
        {
          field: "tenantId",
          rule: "required",
          message: "the path $.tenant leads to nothing",
        },
      ],
    },
    { offset: 13, event: null, problems: [{ field: "", rule: "json" }] },
    { partition: 1, offset: 0, event: { payload: "[1.0 ]" } },
  ]);
  // Another file's tests may run at the same time; the groups of each file begin with its own prefix.
  const isOthers = (group: string): boolean =>
    /^t[0-9a-f]{6}\./.test(group) && !group.startsWith(stack.prefix);
  const made = (await admin.listGroups()).filter(
    (group) => !before.includes(group) && !isOthers(group),
  );
  expect(made).toEqual([]);
});

test("the same as a table, and as a line for each; ten are the default", async () => {
  const file = fileOf(
    `sources:\n${source(ORDERS)}${source(`${stack.prefix}empty`)}`,
  );

  const table = await postrider(["sources", "try", file, "--topic", ORDERS]);
  const lines = await postrider(["sources", "try", file, "--ndjson"]);
  const none = await postrider([
    "sources",
    "try",
    file,
    "--topic",
    `${stack.prefix}empty`,
  ]);

  expect(table.stdout.trim().split("\n")).toHaveLength(11);
  expect(table.stdout).toContain(
    "refused: tenantId: the path $.tenant leads to nothing (required)",
  );
  expect(table.stderr).toContain("10 records, 2 of them would be refused");
  expect(
    lines.stdout
      .trim()
      .split("\n")
      .map((line) => typeof JSON.parse(line)),
  ).toEqual(Array.from({ length: 10 }, () => "object"));
  expect(none).toMatchObject({ code: 0, stdout: "" });
});

test.each([
  [
    "a file that is wrong, with everything that is",
    "sources: [{topic: a}]",
    [],
    2,
    "format must be json or avro",
  ],
  [
    "a topic that no source has",
    `sources:\n${source(ORDERS)}`,
    ["--topic", "b"],
    4,
    `There are: ${ORDERS}`,
  ],
  [
    "a topic that does not exist",
    `sources:\n${source("nowhere")}`,
    [],
    4,
    "There is no topic nowhere",
  ],
  [
    "Avro without a registry",
    "sources: [{topic: a, format: avro, tenantId: {literal: a}, type: {literal: a}}]",
    [],
    2,
    "no schema registry is known",
  ],
])("%s is told", async (_, text, more, code, message) => {
  const ran = await postrider(["sources", "try", fileOf(text), ...more]);

  expect(ran.stderr).toContain(message);
  expect(ran.code).toBe(code);
});

test("doctor looks whether the topics are there and readable, and topics apply leaves them alone", async () => {
  const doctor = async (text: string) => {
    const { stdout } = await postrider(["doctor", "--as", "ingest", "--json"], {
      POSTRIDER_SOURCES_FILE: fileOf(text),
    });
    const { findings } = JSON.parse(stdout) as {
      findings: { check: string; state: string; detail: string }[];
    };
    return findings.filter(({ check }) => check === "sources");
  };
  const before = await admin.describeTopics([ORDERS]);

  await postrider(["topics", "apply"], {
    POSTRIDER_SOURCES_FILE: fileOf(
      `sources:\n${source("nowhere")}${source(ORDERS)}`,
    ),
  });

  expect(await admin.describeTopics([ORDERS, "nowhere"])).toEqual(before);
  expect(await doctor(`sources:\n${source(ORDERS)}`)).toMatchObject([
    { state: "ok", detail: "1 topic, there and readable" },
  ]);
  expect(await doctor(`sources:\n${source("nowhere")}`)).toMatchObject([
    { state: "failed", detail: expect.stringContaining("no topic nowhere") },
  ]);
  expect(await doctor("sources: [{topic: a}]")).toHaveLength(3);
});

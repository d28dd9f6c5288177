/** The five services on a Kafka with TLS, SASL and an authorizer, and a ClickHouse with users: each signs in as itself and has exactly the rights and grants that the lists give it. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  Partitioners,
  ResourcePatternTypes,
  type Admin,
} from "kafkajs";
import {
  migrate,
  newKeys,
  SERVICES,
  startServices,
  type RunningServices,
  type ServiceName,
} from "@postrider/cli";
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { kafkaTools, startStack, type Stack } from "@postrider/local-stack";
import {
  applyTopics,
  createKafka,
  grantCommand,
  HOLDERS_OF,
  rightsOf,
  rightsOfSources,
  rightText,
  topicPlan,
  type Right,
} from "@postrider/messaging";
import { grantsOf, grantStatement, type GrantHolder } from "@postrider/runtime";
import {
  makeCertificate,
  startReceiver,
  testEffects,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { podsOf, render } from "./chart/render.ts";
import { StartedPods, type Secrets } from "./chart/started-pods.ts";
import { helm, note, testWithHelm } from "./chart/with-helm.ts";

const PREFIX = "secured.";
const DATABASE = "secured";
const TIERS = parseTiers("1s,2s");
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
const passwords = Object.fromEntries(
  SERVICES.map((name) => [name, `${name}-password`]),
);
const keys = { ...newKeys(), adminKey: "admin" };
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-secured-"));
const running = new Map<ServiceName, RunningServices>();
let stack: Stack;
let admin: Admin;
let receiver: Receiver;

beforeAll(async () => {
  stack = await startStack({
    provider: "local",
    secure: { certificate, trusted: [certificate.cert], users: passwords },
    clickhouseUsers: Object.fromEntries(
      (["migrate", "recorder", "control"] as const).map((holder) => [
        holder,
        { password: `${holder}-password`, grants: grantsFor(holder) },
      ]),
    ),
  });
  const ours = createKafka(
    { brokers: stack.kafka.brokers, clientId: "setup" },
    testEffects(),
  ).admin();
  await ours.connect();
  await applyTopics(
    ours,
    topicPlan({ prefix: PREFIX, tiers: TIERS, partitions: 2 }),
  );
  await ours.disconnect();
  await migrate(
    { url: stack.clickhouse.url, database: DATABASE },
    {
      ...process.env,
      CLICKHOUSE_URL: stack.clickhouse.url,
      CLICKHOUSE_USER: "migrate",
      CLICKHOUSE_PASSWORD: "migrate-password",
    },
  );
  admin = new Kafka({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  receiver = await startReceiver();
}, 120_000);
afterAll(async () => {
  await Promise.all([...running.values()].map((each) => each.stop()));
  await receiver?.close();
  await admin?.disconnect();
  await stack?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

function rightsOfService(name: ServiceName): readonly Right[] {
  return HOLDERS_OF[name].flatMap((holder) =>
    rightsOf(holder, { prefix: PREFIX, tiers: TIERS }),
  );
}

/** Without the user whom they are for: that is the user in whose entry they stand. */
function grantsFor(holder: GrantHolder): string[] {
  return grantsOf(holder, DATABASE).map((grant) =>
    grantStatement(grant, "").replace(/ TO $/, ""),
  );
}

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  "transactional-id": AclResourceTypes.TRANSACTIONAL_ID,
};
const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Alter: AclOperationTypes.ALTER,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperationTypes.ALTER_CONFIGS,
};

function aclsOf(name: string, rights: readonly Right[]) {
  return rights.flatMap((right) =>
    right.operations.map((operation) => ({
      resourceType: RESOURCES[right.resource],
      resourceName: right.name,
      resourcePatternType: right.isPrefix
        ? ResourcePatternTypes.PREFIXED
        : ResourcePatternTypes.LITERAL,
      principal: `User:${name}`,
      host: "*",
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
}

async function grant(name: ServiceName, right: readonly Right[]) {
  await admin.createAcls({ acl: aclsOf(name, right) });
}

async function revoke(name: ServiceName, rights: readonly Right[]) {
  await admin.deleteAcls({ filters: aclsOf(name, rights) });
}

async function start(
  name: ServiceName,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningServices> {
  const started = await startServices({
    stack: {
      kafka: { brokers: [stack.kafka.secure!.sasl] },
      clickhouse: { url: stack.clickhouse.url },
      schemaRegistry: null,
    },
    services: [name],
    prefix: PREFIX,
    database: DATABASE,
    ...keys,
    logDirectory,
    env: {
      POSTRIDER_TIERS: "1s,2s",
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      KAFKA_TLS: "true",
      KAFKA_TLS_CA: certificate.cert,
      KAFKA_SASL_MECHANISM: "scram-sha-512",
      KAFKA_SASL_USERNAME: name,
      KAFKA_SASL_PASSWORD: passwords[name]!,
      ...((name === "recorder" || name === "control") && {
        CLICKHOUSE_USER: name,
        CLICKHOUSE_PASSWORD: `${name}-password`,
      }),
      ...more,
    },
  });
  running.set(name, started);
  return started;
}

async function call(path: string, body: object) {
  const [found] = running.get("control")!.services;
  return await post(`${found!.url}${path}`, body);
}

async function post(url: string, body: object) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
      "if-match": "*",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { readonly id: string };
}

async function publish(id: string): Promise<void> {
  const [found] = running.get("ingest")!.services;
  await publishTo(found!.url!, id);
}

async function publishTo(door: string, id: string): Promise<void> {
  await post(`${door}/v1/events`, {
    id,
    type: "order.paid",
    tenantId: "acme",
    payload: { id },
  });
}

async function rowsOf(sql: string): Promise<string> {
  const url = `${stack.clickhouse.url}/?database=${DATABASE}`;
  const response = await fetch(url, { method: "POST", body: sql });
  return (await response.text()).trim();
}

test("with exactly the listed rights everything works: delivery, retry, dead letter, rows, pause and resume", async () => {
  for (const name of SERVICES) await grant(name, rightsOfService(name));
  await Promise.all(SERVICES.map((name) => start(name)));
  receiver.answerWith({ status: 500 });
  const { id } = await call("/v1/endpoints", {
    tenantId: "acme",
    url: receiver.url,
    eventTypes: ["*"],
  });

  await publish("evt_retried");
  await waitFor(() => receiver.requests.length > 0);
  receiver.answerWith({ status: 200 });
  await waitFor(
    async () =>
      (await rowsOf(
        "SELECT count() FROM attempts WHERE outcome = 'delivered'",
      )) === "1",
  );
  await call(`/v1/endpoints/${id}/pause`, {});
  await publish("evt_parked");
  await waitFor(
    async () => (await rowsOf("SELECT count() FROM dead_letters")) === "1",
  );
  await call(`/v1/endpoints/${id}/resume`, {});
  await waitFor(
    async () =>
      (await rowsOf(
        "SELECT count() FROM attempts WHERE outcome = 'delivered'",
      )) === "2",
  );
  const asked = await call("/v1/query", {
    sql: "SELECT count() FROM delivery_status",
  });
  expect(asked).toMatchObject({ rows: [[2]] });
  // What control wrote with the changes came through the recorder's topic, group and table.
  await waitFor(
    async () =>
      (await rowsOf(
        `SELECT groupArray(action) FROM (SELECT action FROM audit WHERE subject_id = '${id}' ORDER BY at, log_offset)`,
      )) === "['created','paused','resumed']",
  );
  for (const name of ["recorder", "control"] as const)
    expect(linesOf(join(logDirectory, `${name}.log`)).join()).not.toContain(
      "clickhouse.grantsMissing",
    );
  // Of settings that Kafka does not show it, a service says so, and does not ask for them.
  const log = join(logDirectory, "recorder.log");
  const notShown = await waitFor(() =>
    linesOf(log).find((line) => line.includes("settings.notShown")),
  );
  expect(JSON.parse(notShown)).toMatchObject({
    topics: expect.arrayContaining(["secured.audit", "secured.schemas"]),
    what: expect.stringContaining("npx postrider doctor"),
  });
  expect(linesOf(log).join()).not.toMatch(/authorization failed/i);
}, 120_000);

/** For each service a right that it starts without: every kind of resource, and most operations. */
const WITHOUT: Readonly<
  Record<ServiceName, Pick<Right, "resource" | "name" | "operations">>
> = {
  ingest: {
    resource: "topic",
    name: "secured.events",
    operations: ["DescribeConfigs"],
  },
  dispatcher: {
    resource: "topic",
    name: "secured.attempts",
    operations: ["Write"],
  },
  "retry-scheduler": {
    resource: "group",
    name: "secured.retry-scheduler",
    operations: ["Read"],
  },
  recorder: {
    resource: "group",
    name: "secured.schemas.table.",
    operations: ["Read"],
  },
  control: {
    resource: "transactional-id",
    name: "secured.control",
    operations: ["Write"],
  },
};

function missingOf(name: ServiceName): Right {
  const without = WITHOUT[name];
  const right = rightsOfService(name).find(
    (each) => each.resource === without.resource && each.name === without.name,
  )!;
  return { ...right, ...without };
}

interface Told {
  readonly name: ServiceName;
  readonly what: string;
  readonly toMend: readonly string[];
}

/** Starts the service without its right, and grants the right once the service says that it is missing. Resolves when it is ready. */
async function startWithout(name: ServiceName): Promise<Told> {
  await running.get(name)!.stop();
  await revoke(name, [missingOf(name)]);
  const log = join(logDirectory, `${name}.log`);
  rmSync(log);
  const starting = start(name);
  const line = await waitFor(() =>
    linesOf(log).find((each) => each.includes("kafka.rightsMissing")),
  );
  await grant(name, [missingOf(name)]);
  await starting;
  return { name, ...(JSON.parse(line) as Omit<Told, "name">) };
}

test("each service with one right less is not ready, says which and how to grant it, and is ready once it is granted", async () => {
  const told = await Promise.all(SERVICES.map(startWithout));

  for (const { name, what, toMend } of told) {
    const missing = missingOf(name);
    const star = missing.isPrefix ? "*" : "";
    expect(what).toContain(
      `Kafka does not allow User:${name}: ${missing.operations[0]} on ${missing.resource} ${missing.name}${star}.`,
    );
    expect(toMend).toEqual([grantCommand(missing, `User:${name}`)]);
  }
}, 120_000);

test("a dispatcher that may not write attempts sends nothing before it is granted", async () => {
  const missing = missingOf("dispatcher");
  const log = join(logDirectory, "dispatcher.log");
  const told = (): string[] =>
    linesOf(log).filter((line) => line.includes("kafka.rightsMissing"));
  const sent = receiver.requests.length;
  await running.get("dispatcher")!.stop();
  await revoke("dispatcher", [missing]);
  rmSync(log);

  const starting = start("dispatcher");
  await waitFor(() => told().length > 0);
  await publish("evt_unrecorded");
  await waitFor(() => told().length > 1);
  const lines = linesOf(log).join();
  const sentMeanwhile = receiver.requests.length - sent;
  await grant("dispatcher", [missing]);
  await starting;

  await waitFor(() => receiver.requests.length > sent);
  await waitFor(
    async () =>
      (await rowsOf(
        "SELECT count() FROM attempts WHERE event_id = 'evt_unrecorded'",
      )) === "1",
  );
  expect(sentMeanwhile).toBe(0);
  expect(lines).not.toContain("service.ready");
}, 120_000);

test.each([
  ["Write on topic secured.attempts", "secured.attempts", "Write"],
  ["Read on topic secured.deliveries", "secured.deliveries", "Read"],
] as const)(
  "a right that a running service loses is named (%s)",
  async (text, name, operation) => {
    const right = rightsOfService("dispatcher").find(
      (each) => each.name === name,
    )!;
    const lost: Right = { ...right, operations: [operation] };
    const { adminUrl } = running.get("dispatcher")!.services[0]!;
    const rightsNow = async (): Promise<string> => {
      const { checks } = (await (await fetch(`${adminUrl}/readyz`)).json()) as {
        readonly checks: { readonly name: string; readonly detail: string }[];
      }; // what the admin server answers
      return checks.find((check) => check.name === "kafka-rights")!.detail;
    };

    await revoke("dispatcher", [lost]);
    await publish(`evt_lost_${operation}`);
    await waitFor(async () => (await rightsNow()).includes(text));
    await grant("dispatcher", [lost]);

    await waitFor(async () => (await rightsNow()) === "none is missing");
  },
  60_000,
);

interface Known {
  readonly problem: {
    readonly detail: string;
    readonly command: string | null;
  } | null;
}

async function systemNow(): Promise<{
  readonly processes: readonly { service: string; version: string | null }[];
  readonly stages: readonly (Known & { name: string; topics: Known[] })[];
  readonly topics: readonly Known[];
}> {
  const [found] = running.get("control")!.services;
  const response = await fetch(`${found!.url}/v1/system`, {
    headers: { authorization: "Bearer admin" },
  });
  return (await response.json()) as Awaited<ReturnType<typeof systemNow>>; // what the API answers
}

/** All that control says it does not know, each once. */
async function notKnown(): Promise<readonly string[]> {
  const { stages, topics } = await systemNow();
  const all = [...stages, ...stages.flatMap((each) => each.topics), ...topics];
  const texts = all.flatMap(({ problem }) =>
    problem === null ? [] : [`${problem.detail} ${problem.command}`],
  );
  return [...new Set(texts)].toSorted();
}

test("control tells how far every stage is with the rights that it is given for it; without these it starts all the same, and names them", async () => {
  const lost = rightsOfService("control").filter(({ resource, name }) =>
    [
      "group secured.route",
      "topic secured.retry.",
      "topic secured.intake",
    ].includes(`${resource} ${name}`),
  );
  await waitFor(async () => (await notKnown()).length === 0);
  const { processes, stages } = await systemNow();

  await running.get("control")!.stop();
  await revoke("control", lost);
  await start("control");
  const missing = await waitFor(async () => {
    const texts = await notKnown();
    return texts.length === lost.length ? texts : null;
  });
  await grant("control", lost);

  await waitFor(async () => (await notKnown()).length === 0);
  expect(lost).toHaveLength(3);
  expect(new Set(processes.map(({ service }) => service))).toEqual(
    new Set(SERVICES),
  );
  expect(processes.map(({ version }) => version)).not.toContain(null);
  expect(stages.map(({ name }) => name)).toContain("recorder.audit");
  for (const right of lost)
    expect(missing.join("\n")).toContain(
      `Kafka does not allow User:control: ${rightText(right)}. ${grantCommand(right, "User:control")}`,
    );
}, 120_000);

test("a source whose topic ingest may not read keeps nothing waiting, is told with both commands, and is read once they were run", async () => {
  const topic = "shop.orders";
  const file = join(logDirectory, "sources.yaml");
  writeFileSync(
    file,
    `sources: [{topic: ${topic}, format: json, tenantId: {literal: acme}, type: {literal: order.paid}}]`,
  );
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  const producer = new Kafka({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: "[1.0]" }] });
  await producer.disconnect();
  const log = join(logDirectory, "ingest.log");
  await running.get("ingest")!.stop();
  rmSync(log);
  const rights = rightsOfSources(PREFIX, [topic]);

  await start("ingest", { POSTRIDER_SOURCES_FILE: file });
  const line = await waitFor(() =>
    linesOf(log).find((each) => each.includes("kafka.rightsMissing")),
  );
  await publish("evt_beside");
  await grant("ingest", rights);

  const { toMend } = JSON.parse(line) as { readonly toMend: readonly string[] };
  expect(toMend).toEqual(
    rights.map((right) => grantCommand(right, "User:ingest")),
  );
  for (const id of ["evt_beside", `${topic}:0:0`])
    await waitFor(
      async () =>
        (await rowsOf(
          `SELECT count() FROM attempts WHERE event_id = '${id}' AND outcome = 'delivered'`,
        )) === "1",
      { what: `the delivery of ${id}` },
    );
}, 120_000);

const bin = fileURLToPath(
  new URL("../packages/cli/bin/postrider.js", import.meta.url),
);

/** Runs the command with these settings alone. Returns its exit code and what it printed. */
async function postrider(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const { PATH } = process.env;
  const options = { env: { PATH, ...env }, cwd: logDirectory };
  return await new Promise((resolve) => {
    execFile(bin, [...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

function findingsOf({ stdout }: { readonly stdout: string }): object[] {
  return (JSON.parse(stdout) as { findings: object[] }).findings;
}

const signedIn = (name: ServiceName): Record<string, string> => ({
  KAFKA_BROKERS: stack.kafka.secure!.sasl,
  KAFKA_TLS: "true",
  KAFKA_TLS_CA: certificate.cert,
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_SASL_USERNAME: name,
  KAFKA_SASL_PASSWORD: passwords[name]!,
});

test("doctor says which right of a service its user lacks, and is content with all of them", async () => {
  const env = {
    ...signedIn("dispatcher"),
    POSTRIDER_TOPIC_PREFIX: PREFIX,
    POSTRIDER_TIERS: "1s,2s",
  };
  const args = ["doctor", "--as", "dispatcher", "--json"];
  const missing = missingOf("dispatcher");

  const before = await postrider(args, env);
  await revoke("dispatcher", [missing]);
  const after = await postrider(args, env);
  await grant("dispatcher", [missing]);

  expect(before).toMatchObject({ code: 0 });
  expect(after).toMatchObject({ code: 1 });
  expect(findingsOf(after)).toContainEqual(
    expect.objectContaining({
      check: "rights of dispatcher",
      detail: "User:dispatcher lacks: Write on topic secured.attempts",
      next: grantCommand(missing, "User:dispatcher"),
    }),
  );
});

/** Of the printed commands one of each form (resource, exact name or beginning, one operation or several), and one with each operation. */
function sampleOf(
  document: string,
): { user: string; right: Right; line: string }[] {
  const forms = new Set<string>();
  return SERVICES.flatMap((service) => {
    const user = `postrider-${service}`;
    const options = { prefix: "postrider.", tiers: parseTiers(DEFAULT_TIERS) };
    return HOLDERS_OF[service]
      .flatMap((holder) => rightsOf(holder, options))
      .map((right) => {
        const line = grantCommand(right, `User:${user}`);
        return { user, right, line };
      });
  }).filter(({ right, line }) => {
    const { resource, isPrefix, operations } = right;
    const isNew = [
      `${resource} ${isPrefix} ${operations.length > 1}`,
      ...operations,
    ].filter((form) => !forms.has(form));
    // Two roles of a service may have rights on one thing, which the document prints as one.
    if (isNew.length === 0 || !document.includes(`\n${line}\n`)) return false;
    for (const form of isNew) forms.add(form);
    return true;
  });
}

test("the printed commands give with Kafka's own kafka-acls.sh exactly the rights that they are for", async () => {
  const [rights, security] = ["kafka-rights", "security"].map((name) =>
    readFileSync(new URL(`../docs/${name}.md`, import.meta.url), "utf8"),
  );
  const sample = sampleOf(rights!);
  const others = security!
    .split("\n")
    .filter((line) =>
      /^kafka-acls\.sh .*postrider-(admin|recorder)/.test(line),
    );
  const folder = join(logDirectory, "administrator");
  mkdirSync(folder);
  writeFileSync(join(folder, "admin.properties"), "");
  const words = [...(await kafkaTools()), "org.apache.kafka.tools.AclCommand"];
  const script = join(folder, "kafka-acls.sh");
  writeFileSync(script, `#!/bin/sh\nexec '${words.join("' '")}' "$@"\n`);
  chmodSync(script, 0o755);
  const env = {
    PATH: `${folder}:${process.env["PATH"]}`,
    BROKER: stack.kafka.brokers[0],
  };

  const lines = [...sample.map(({ line }) => line), ...others];
  // Each is a JVM.
  for (let n = 0; n < lines.length; n += 3)
    await Promise.all(
      lines
        .slice(n, n + 3)
        .map((line) =>
          promisify(execFile)("sh", ["-c", line], { cwd: folder, env }),
        ),
    );

  const expected = [
    ...sample.flatMap(({ user, right }) => aclsOf(user, [right])),
    ...aclsOf("postrider-admin", [
      {
        resource: "topic",
        name: "postrider.",
        isPrefix: true,
        operations: [
          "Create",
          "Describe",
          "DescribeConfigs",
          "Alter",
          "AlterConfigs",
        ],
      },
    ]),
    ...aclsOf("postrider-admin", [
      {
        resource: "topic",
        name: "kafka-cluster",
        isPrefix: false,
        operations: ["Describe", "DescribeConfigs"],
      },
    ]).map((acl) => ({ ...acl, resourceType: AclResourceTypes.CLUSTER })),
    ...aclsOf("postrider-recorder", [
      {
        resource: "topic",
        name: "postrider.",
        isPrefix: true,
        operations: ["DescribeConfigs"],
      },
    ]),
  ];
  const users = new Set(expected.map(({ principal }) => principal));
  // What the controller has made, the broker that answers knows a moment later.
  await waitFor(async () => {
    const found = await Promise.all([...users].map(aclsOfPrincipal));
    expect(found.flat().toSorted()).toEqual(
      expected.map((acl) => JSON.stringify(acl)).toSorted(),
    );
    return true;
  });
  expect(sample.length).toBeGreaterThan(6);
  expect(others).toHaveLength(3);
}, 300_000);

async function aclsOfPrincipal(principal: string): Promise<string[]> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
    principal,
  });
  return resources.flatMap(
    ({ resourceType, resourceName, resourcePatternType, acls }) =>
      acls.map(({ principal: of, host, operation, permissionType }) =>
        JSON.stringify({
          resourceType,
          resourceName,
          resourcePatternType,
          principal: of,
          host,
          operation,
          permissionType,
        }),
      ),
  );
}

test("tail says which rights it lacks, and ends; with them it reads", async () => {
  const env = { ...signedIn("recorder"), POSTRIDER_TOPIC_PREFIX: PREFIX };
  const args = ["topics", "tail", "attempts", "--from-beginning", "--limit=1"];
  const right: Right = {
    resource: "group",
    name: "secured.tail.",
    isPrefix: true,
    operations: ["Read"],
  };

  const refused = await postrider(args, env);
  await grant("recorder", [right]);
  const allowed = await postrider(args, env);

  expect(refused).toMatchObject({
    code: 5,
    stderr: expect.stringContaining(
      "Kafka does not allow User:recorder: Read on group secured.tail.*.",
    ),
  });
  expect(refused.stderr).toContain(grantCommand(right, "User:recorder"));
  expect(allowed).toMatchObject({ code: 0 });
});

test("who may not create topics is told what an administrator needs", async () => {
  const env = { ...signedIn("recorder"), POSTRIDER_TOPIC_PREFIX: "other." };

  const refused = await postrider(["topics", "apply", "--json"], env);

  expect(refused).toMatchObject({ code: 5 });
  expect(JSON.parse(refused.stderr)).toMatchObject({
    error: "The topics other.* may not be looked at, created or changed.",
    why: expect.stringContaining("Kafka does not allow User:recorder"),
    next: expect.stringContaining(
      "--operation Create --operation Describe --operation DescribeConfigs --operation Alter --operation AlterConfigs --topic other. --resource-pattern-type prefixed",
    ),
  });
});

test("doctor says which grant a service's user lacks in ClickHouse, and a wrong password as such", async () => {
  const envOf = (user: string, password = `${user}-password`) => ({
    ...signedIn("recorder"),
    POSTRIDER_TOPIC_PREFIX: PREFIX,
    CLICKHOUSE_URL: stack.clickhouse.url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    POSTRIDER_CLICKHOUSE_DATABASE: DATABASE,
  });
  const args = ["doctor", "--as", "recorder", "--json"];

  const right = await postrider(args, envOf("recorder"));
  const other = await postrider(args, envOf("control"));
  const wrong = await postrider(args, envOf("recorder", "wrong"));

  expect(right).toMatchObject({ code: 0 });
  expect(findingsOf(other)).toContainEqual(
    expect.objectContaining({
      check: "grants of recorder",
      next: "GRANT INSERT ON secured.events TO control",
    }),
  );
  expect(findingsOf(wrong)).toContainEqual(
    expect.objectContaining({
      check: "clickhouse",
      detail: expect.stringContaining("516"),
      next: expect.stringContaining("Check CLICKHOUSE_USER"),
    }),
  );
});

test("a command that cannot reach a secured Kafka says what to look at", async () => {
  const other = makeCertificate({ hosts: ["127.0.0.1"] });
  const right = signedIn("ingest");
  const plain = stack.kafka.brokers.join();
  const nextOf = async (env: Record<string, string>): Promise<string> => {
    const { stderr } = await postrider(["topics", "plan", "--json"], env);
    return (JSON.parse(stderr) as { next: string }).next;
  };

  const [untrusted, wrong, noTls, noSasl, tls] = await Promise.all([
    nextOf({ ...right, KAFKA_TLS_CA: other.cert }),
    nextOf({ ...right, KAFKA_SASL_PASSWORD: "wrong" }),
    nextOf({ ...right, KAFKA_BROKERS: plain }),
    nextOf({
      KAFKA_BROKERS: plain,
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "ingest",
      KAFKA_SASL_PASSWORD: "x",
    }),
    nextOf({ KAFKA_BROKERS: stack.kafka.secure!.sasl }),
  ]);

  expect(untrusted).toContain("Is KAFKA_TLS_CA the authority");
  expect(wrong).toContain("Check the user and the password");
  expect(noTls).toContain("does this port of the broker speak TLS?");
  expect(tls).toContain("Does this port speak TLS? Then set KAFKA_TLS=true.");
  expect(noSasl).toContain("Does this port of the broker take KAFKA_SASL");
});

/** Where the chart's values for SCRAM name another server or user than this stack has; ClickHouse and the registry have TLS there. */
function chartValues(): Record<string, string> {
  const users = Object.entries({
    ingest: "ingest",
    dispatcher: "dispatcher",
    retryScheduler: "retry-scheduler",
    recorder: "recorder",
    control: "control",
  } satisfies Record<string, ServiceName>);
  return {
    "kafka.brokers": stack.kafka.secure!.sasl,
    "clickhouse.url": stack.clickhouse.url,
    "clickhouse.tls.ca.existingSecret": "",
    "schemaRegistry.url": "",
    "topics.enabled": "false",
    "migrations.clickhouse.user": "migrate",
    "recorder.clickhouse.user": "recorder",
    "control.clickhouse.user": "control",
    ...Object.fromEntries(
      users.flatMap(([block, user]) => [
        [`${block}.kafka.sasl.username`, user],
        [`${block}.kafka.sasl.password.existingSecret`, `kafka-${user}`],
      ]),
    ),
    "config.POSTRIDER_TOPIC_PREFIX": PREFIX,
    "config.POSTRIDER_CLICKHOUSE_DATABASE": DATABASE,
    "config.POSTRIDER_TIERS": "1s\\,2s",
    "config.POSTRIDER_SESSION_TIMEOUT": "6s",
    "config.POSTRIDER_ALLOW_HTTP": "true",
    "config.POSTRIDER_ALLOW_CIDRS": "127.0.0.0/8",
  };
}

testWithHelm(
  `what helm renders for TLS and SCRAM signs in, each as its own user, and delivers${note}`,
  async () => {
    await Promise.all([...running.values()].map((each) => each.stop()));
    running.clear();
    const pods = podsOf(
      render(helm, "scram", {
        args: Object.entries(chartValues()).map(
          ([path, value]) => `--set=${path}=${value}`,
        ),
      }),
    );
    const byKey = new Map([
      ["ca.crt", certificate.cert],
      ["admin-key", keys.adminKey],
      ["encryption-keys", keys.encryptionKeys],
    ]);
    const secrets: Secrets = (name, key) =>
      byKey.get(key) ?? `${name.replace(/^(kafka|clickhouse)-/, "")}-password`;
    const started = new StartedPods(join(logDirectory, "chart"), secrets);
    try {
      const [migrations, ...otherJobs] = pods.filter(
        ({ owner }) => owner.kind === "Job",
      );

      const migrated = await started.runToEnd(migrations!);
      const services = await Promise.all(
        pods
          .filter(({ owner }) => owner.kind === "Deployment")
          .map(async (each) => await started.startService(each)),
      );
      const alive = await Promise.all(services.map((each) => each.ready()));
      const door = services.find(({ component }) => component === "ingest")!;
      await publishTo(door.api, "evt_of_chart");

      expect(otherJobs).toEqual([]);
      expect(migrated).toMatchObject({ code: 0 });
      expect(alive).toEqual(SERVICES.map(() => 200));
      await waitFor(
        async () =>
          (await rowsOf(
            "SELECT count() FROM attempts WHERE event_id = 'evt_of_chart' AND outcome = 'delivered'",
          )) === "1",
        { what: "the row of the delivery" },
      );
    } finally {
      await started.stopAll();
    }
  },
  300_000,
);

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
}

/** The five services on a Kafka with TLS, SASL and an authorizer: each signs in as itself and has exactly the rights that the list gives it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
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
import { parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import {
  applyTopics,
  createKafka,
  grantCommand,
  rightsOf,
  topicPlan,
  type Right,
} from "@postrider/messaging";
import {
  makeCertificate,
  startReceiver,
  testEffects,
  waitFor,
  type Receiver,
} from "@postrider/testkit";

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
  await migrate({ url: stack.clickhouse.url, database: DATABASE });
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
}, 60_000);

function rightsOfService(name: ServiceName): readonly Right[] {
  const holders = name === "ingest" ? (["door", "route"] as const) : [name];
  return holders.flatMap((holder) =>
    rightsOf(holder, { prefix: PREFIX, tiers: TIERS }),
  );
}

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  "transactional-id": AclResourceTypes.TRANSACTIONAL_ID,
};
const OPERATIONS = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  describe_configs: AclOperationTypes.DESCRIBE_CONFIGS,
};

function aclsOf(name: ServiceName, rights: readonly Right[]) {
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

async function start(name: ServiceName): Promise<RunningServices> {
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
    },
  });
  running.set(name, started);
  return started;
}

async function call(service: "ingest" | "control", path: string, body: object) {
  const [found] = running.get(service)!.services;
  const response = await fetch(`${found!.url}${path}`, {
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
  await call("ingest", "/v1/events", {
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
  await Promise.all(SERVICES.map(start));
  receiver.answerWith({ status: 500 });
  const { id } = await call("control", "/v1/endpoints", {
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
  await call("control", `/v1/endpoints/${id}/pause`, {});
  await publish("evt_parked");
  await waitFor(
    async () => (await rowsOf("SELECT count() FROM dead_letters")) === "1",
  );
  await call("control", `/v1/endpoints/${id}/resume`, {});
  await waitFor(
    async () =>
      (await rowsOf(
        "SELECT count() FROM attempts WHERE outcome = 'delivered'",
      )) === "2",
  );
}, 120_000);

/** For each service a right that it starts without: every kind of resource and of operation. */
const WITHOUT: Readonly<Record<ServiceName, Partial<Right>>> = {
  ingest: { name: "secured.events", operations: ["describe_configs"] },
  dispatcher: { name: "secured.attempts", operations: ["write"] },
  "retry-scheduler": { name: "secured.retry-scheduler", operations: ["read"] },
  recorder: { name: "secured.intake", operations: ["read"] },
  control: { name: "secured.endpoints.table.", operations: ["read"] },
};

test.each(SERVICES)(
  "%s with one right less is not ready, says which and how to grant it, and is ready once it is granted",
  async (name) => {
    await running.get(name)!.stop();
    const right = rightsOfService(name).find(
      (each) => each.name === WITHOUT[name].name,
    )!;
    const missing = { ...right, ...WITHOUT[name] };
    await revoke(name, [missing]);
    const log = join(logDirectory, `${name}.log`);
    rmSync(log);
    const starting = start(name);
    const line = await waitFor(() =>
      linesOf(log).find((each) => each.includes("kafka.rightsMissing")),
    );

    const { what, toMend } = JSON.parse(line) as {
      readonly what: string;
      readonly toMend: readonly string[];
    };
    const star = missing.isPrefix ? "*" : "";
    expect(what).toContain(
      `Kafka does not allow User:${name}: ${missing.operations[0]} on ${missing.resource} ${missing.name}${star}.`,
    );
    expect(toMend).toEqual([grantCommand(missing, `User:${name}`)]);
    await grant(name, [missing]);
    await starting;
  },
  60_000,
);

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
}

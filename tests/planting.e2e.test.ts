/**
 * Plants a secret in each place where one can come in, lets the services do everything that they do with it, and looks for it in
 * everything that comes out: topics, tables, logs, answers, metrics, and what a crash leaves. What is found must be what is listed here.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
  ResourcePatternTypes,
} from "kafkajs";
import {
  migrate,
  serviceEnv,
  spawnService,
  startServices,
  type RunningServices,
  type ServiceName,
  type ServiceProcess,
} from "@postrider/cli";
import { parseTiers, type Destination } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import {
  applyTopics,
  createAvroCodec,
  createKafka,
  readSchemaFiles,
  topicPlan,
  type ProducerRecord,
} from "@postrider/messaging";
import {
  createPortPicker,
  grantsOf,
  grantStatement,
  type GrantHolder,
} from "@postrider/runtime";
import {
  anEvent,
  makeCertificate,
  readTopics,
  startReceiver,
  testEffects,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { plant, Search, type Plant } from "./planting.ts";

const PREFIX = "planted.";
const DATABASE = "planted";
const TIERS = parseTiers("1s,2s");
const LONG = 180_000;

const keyBytes = randomBytes(32);
const whsecBytes = randomBytes(24);
const P = {
  adminKey: plant("admin key"),
  kafkaPassword: plant("password of Kafka"),
  recorderPassword: plant("password of ClickHouse in a file"),
  controlPassword: plant("password of ClickHouse in its URL"),
  wrongKafkaPassword: plant("refused password of Kafka"),
  wrongClickhousePassword: plant("refused password of ClickHouse"),
  registryPassword: plant("password of the registry"),
  given: plant("given secret"),
  rotated: plant("rotated secret"),
  applied: plant("secret of a file"),
  endpointHeader: plant("header of an endpoint"),
  appliedHeader: plant("header of a file"),
  inlineDoor: plant("inline secret at the door"),
  eventHeader: plant("header of an event"),
  inlineJson: plant("inline secret as JSON"),
  inlineAvro: plant("inline secret as Avro"),
  refusedDoor: plant("refused secret at the door"),
  refusedJson: plant("refused secret as JSON"),
  refusedAvro: plant("refused secret as Avro"),
  unreadable: plant("secret in what cannot be read"),
  urlPassword: plant("password in a refused URL"),
  topicUrlPassword: plant("password in a refused URL of the topic"),
  wrongKey: plant("wrong API key"),
  idempotencyKey: plant("idempotency key"),
} satisfies Record<string, Plant>;
const encryptionKey = {
  name: "encryption key",
  text: keyBytes.toString("base64"),
  bytes: [keyBytes],
};
const whsec = {
  name: "given whsec_",
  text: whsecBytes.toString("base64"),
  bytes: [whsecBytes],
};
/** What Postrider itself made: the answer that shows it once gives the text. */
const made: Plant[] = [];

/** Where a secret may be, by design (docs/security.md, "Who can do what"): the plant, and the places. */
const BY_DESIGN: Readonly<Record<string, readonly string[]>> = {
  // The answer to what makes or sets a secret is the one that shows it.
  [P.given.name]: ["answer POST /v1/endpoints"],
  [whsec.name]: ["answer POST /v1/endpoints"],
  "made secret": ["answer POST /v1/endpoints"],
  [P.rotated.name]: ["answer POST /v1/endpoints/:id/rotate-secret"],
  "API key": ["answer POST /v1/keys"],
  // A publisher's own record.
  [P.inlineJson.name]: ["topic events"],
  [P.inlineAvro.name]: ["topic events"],
  [P.refusedJson.name]: ["topic events"],
  [P.refusedAvro.name]: ["topic events"],
  [P.unreadable.name]: ["topic events"],
  [P.topicUrlPassword.name]: ["topic events"],
  // Headers for a receiver are not sealed: only signing secrets are.
  [P.endpointHeader.name]: ["topic endpoints"],
  [P.appliedHeader.name]: ["topic endpoints"],
  [P.eventHeader.name]: [
    "topic dead-letters",
    "topic deliveries",
    "topic events",
    "topic retry",
  ],
};

const folder = mkdtempSync(join(tmpdir(), "postrider-planting-"));
const reports = join(folder, "reports");
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
/** Everything that came out, by place. */
const places: (readonly [place: string, bytes: Buffer | string])[] = [];
const troubled: ServiceProcess[] = [];
let stack: Stack;
let receiver: Receiver;
let running: readonly RunningServices[] = [];

const fileOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

beforeAll(async () => {
  mkdirSync(reports);
  stack = await startStack({
    provider: "local",
    secure: {
      certificate,
      trusted: [certificate.cert],
      users: { postrider: P.kafkaPassword.text },
    },
    clickhouseUsers: {
      recorder: {
        password: P.recorderPassword.text,
        grants: grantsFor("recorder"),
      },
      control: {
        password: P.controlPassword.text,
        grants: grantsFor("control"),
      },
    },
  });
  await prepareKafka();
  await migrate({ url: stack.clickhouse.url, database: DATABASE });
  // It writes everything that it gets into its answer, as a page for debugging does.
  receiver = await startReceiver({
    answer: ({ path, headers }) => ({
      status: path === "/fails" ? 500 : 200,
      headers: { "x-echo": headers["authorization"] ?? "none" },
      body: JSON.stringify(headers),
    }),
  });
  const start = (services: readonly ServiceName[], more: Env) =>
    startServices({
      stack: {
        kafka: { brokers: [stack.kafka.secure!.sasl] },
        clickhouse: { url: stack.clickhouse.url },
        schemaRegistry: null,
      },
      services,
      prefix: PREFIX,
      database: DATABASE,
      adminKey: P.adminKey.text,
      encryptionKeys: "",
      logDirectory: folder,
      env: { ...environment(), ...more },
    });
  const { host } = new URL(stack.clickhouse.url);
  running = await Promise.all([
    start(["ingest", "dispatcher", "retry-scheduler"], {}),
    start(["recorder"], {
      CLICKHOUSE_USER: "recorder",
      CLICKHOUSE_PASSWORD_FILE: fileOf("clickhouse", P.recorderPassword.text),
    }),
    start(["control"], {
      CLICKHOUSE_URL: `http://control:${P.controlPassword.text}@${host}`,
    }),
  ]);
}, LONG);
afterAll(async () => {
  for (const each of troubled) await each.stop(2_000);
  for (const each of running) await each.stop();
  await receiver?.close();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
}, LONG);

type Env = Readonly<Record<string, string>>;

function grantsFor(holder: GrantHolder): string[] {
  return grantsOf(holder, DATABASE).map((grant) =>
    grantStatement(grant, "").replace(/ TO $/, ""),
  );
}

/** The admin key, and one password, in variables; all else in files. */
function environment(): Env {
  return {
    POSTRIDER_TIERS: TIERS.map(({ name }) => name).join(),
    POSTRIDER_SESSION_TIMEOUT: "6s",
    POSTRIDER_ALLOW_HTTP: "true",
    POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    POSTRIDER_LOG_LEVEL: "debug",
    POSTRIDER_ENCRYPTION_KEYS_FILE: fileOf("keys", `k1:${encryptionKey.text}`),
    KAFKA_TLS: "true",
    KAFKA_TLS_CA: certificate.cert,
    KAFKA_SASL_MECHANISM: "scram-sha-512",
    KAFKA_SASL_USERNAME: "postrider",
    KAFKA_SASL_PASSWORD_FILE: fileOf("kafka", P.kafkaPassword.text),
    // SIGUSR2 writes Node's diagnostic report, SIGHUP is an exception that nobody catches: the log tells it.
    NODE_OPTIONS: `--report-on-signal --report-directory=${reports} --import=${fileOf("crash.mjs", CRASH)}`,
  };
}

const CRASH = `process.on("SIGHUP", () => setImmediate(() => { throw new Error("crashed by the test"); }));`;

/** The topics, and the rights to do everything: what each service needs is not what this test is about. */
async function prepareKafka(): Promise<void> {
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
  const admin = new Kafka({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  const resources = [
    [AclResourceTypes.TOPIC, "*"],
    [AclResourceTypes.GROUP, "*"],
    [AclResourceTypes.TRANSACTIONAL_ID, "*"],
    [AclResourceTypes.CLUSTER, "kafka-cluster"],
  ] as const;
  await admin.createAcls({
    acl: resources.map(([resourceType, resourceName]) => ({
      resourceType,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: "User:postrider",
      host: "*",
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  });
  await admin.disconnect();
}

function service(name: ServiceName) {
  return running
    .flatMap(({ services }) => services)
    .find((each) => each.name === name)!;
}

/** Asks a service's API, and keeps what it answers under the route, in which ids are `:id`. */
async function ask<T = { readonly id: string }>(
  name: "ingest" | "control",
  route: string,
  more: {
    readonly id?: string;
    readonly body?: unknown;
    readonly headers?: Env;
  } = {},
): Promise<T> {
  const [method = "", path = ""] = route.split(" ");
  const response = await fetch(
    `${service(name).url}${path.replace(":id", more.id ?? "")}`,
    {
      method,
      headers: {
        authorization: `Bearer ${P.adminKey.text}`,
        "content-type": "application/json",
        "if-match": "*",
        ...more.headers,
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    },
  );
  const text = await response.text();
  places.push([
    `answer ${route.replace(/\?.*/, "")}`,
    `${response.status} ${JSON.stringify([...response.headers])} ${text}`,
  ]);
  return JSON.parse(text) as T;
}

const bearer = ({ text }: Plant): Env => ({ authorization: `Bearer ${text}` });
const to = (path: string): string => `${receiver.url}${path}`;
let published = 0;
const event = (fields: object) => ({
  id: `evt_${(published += 1)}`,
  type: "order.paid",
  tenantId: "acme",
  payload: {},
  ...fields,
});

/** Every secret that an operator or a tenant gives to control, or that control makes. */
async function plantInControl(): Promise<void> {
  const endpoint = (fields: object) => ({
    body: {
      tenantId: "acme",
      url: to("/endpoint"),
      eventTypes: ["order.paid"],
      ...fields,
    },
  });
  const create = "POST /v1/endpoints";
  const { id } = await ask(
    "control",
    create,
    endpoint({ secret: P.given.text, headers: bearer(P.endpointHeader) }),
  );
  await ask("control", create, endpoint({ secret: `whsec_${whsec.text}` }));
  const own = await ask<{ secret: string }>("control", create, endpoint({}));
  made.push({ name: "made secret", text: own.secret.replace("whsec_", "") });
  await ask("control", "POST /v1/endpoints/:id/rotate-secret", {
    id,
    body: { secret: P.rotated.text },
  });
  const withPassword = endpoint({
    url: `https://user:${P.urlPassword.text}@example.com/`,
  });
  await ask("control", create, withPassword);
  await ask("control", "POST /v1/endpoints/validate", withPassword);
  const { token } = await ask<{ token: string }>("control", "POST /v1/keys", {
    body: { name: "tests", role: "publisher", tenantId: "acme" },
  });
  made.push({ name: "API key", text: token.split("_")[2]! });
  await ask("ingest", "POST /v1/events", {
    body: event({}),
    headers: {
      authorization: `Bearer ${token}`,
      "idempotency-key": P.idempotencyKey.text,
    },
  });
  for (const name of ["control", "ingest"] as const)
    await ask(name, name === "control" ? "GET /v1/keys" : "POST /v1/events", {
      headers: {
        authorization: `Bearer prk_0123456789abcdef_${P.wrongKey.text}`,
      },
      ...(name === "ingest" && { body: event({}) }),
    });
  await applyFile();
}

/** `endpoints apply` with references to the environment; once to see, once to do. */
async function applyFile(): Promise<void> {
  const file = fileOf(
    "endpoints.yaml",
    `tenantId: acme
endpoints:
  - externalId: applied
    url: ${to("/applied")}
    eventTypes: ["order.paid"]
    secret: { env: THE_SECRET }
    headers: { authorization: { env: THE_HEADER } }
`,
  );
  const bin = fileURLToPath(
    new URL("../packages/cli/bin/postrider.js", import.meta.url),
  );
  for (const more of [["--dry-run"], []]) {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [bin, "endpoints", "apply", "-f", file, ...more],
      {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          POSTRIDER_CONTROL_URL: service("control").url!,
          POSTRIDER_INGEST_URL: service("ingest").url!,
          POSTRIDER_ADMIN_KEY: P.adminKey.text,
          THE_SECRET: P.applied.text,
          THE_HEADER: `Bearer ${P.appliedHeader.text}`,
        },
      },
    );
    places.push(["command apply", stdout + stderr]);
  }
}

/** Every secret that a publisher gives, over the door and over the topic, in events that are taken and that are refused. */
async function plantInEvents(): Promise<void> {
  const publish = "POST /v1/events";
  await ask("ingest", publish, {
    body: event({
      destination: {
        url: to("/fails"),
        secret: P.inlineDoor.text,
        maxAttempts: 2,
      },
      headers: bearer(P.eventHeader),
    }),
  });
  await ask("ingest", publish, {
    body: event({
      destination: {
        url: `https://user:${P.urlPassword.text}@example.com/`,
        secret: P.refusedDoor.text,
      },
    }),
  });
  const destination = (secret: string, url = to("/inline")): Destination => ({
    url,
    secret,
    sealedSecret: null,
    maxAttempts: 1,
    timeoutSeconds: 5,
    retryDelaysMs: null,
    maxAgeMs: null,
    notRetryableStatuses: [],
  });
  const codec = createAvroCodec({
    schemas: readSchemaFiles(),
    writers: {
      byFingerprint: () => ({ kind: "unknown" }),
      byId: () => ({ kind: "unknown" }),
    },
  });
  const avro = (id: string, type: string, secret: string): Buffer => {
    const value = anEvent({ id, type, destination: destination(secret) });
    return codec.encode({ topic: "events", key: null, value });
  };
  const json = (secret: string, url: string): Buffer =>
    Buffer.from(JSON.stringify(event({ destination: { url, secret } })));
  const records = [
    json(P.inlineJson.text, to("/inline")),
    avro("evt_avro", "order.paid", P.inlineAvro.text),
    json(
      P.refusedJson.text,
      `https://user:${P.topicUrlPassword.text}@example.com/`,
    ),
    avro("evt_refused", "not a type", P.refusedAvro.text),
    Buffer.from(`{"id":"evt_unreadable","secret":"${P.unreadable.text}"`),
  ].map((value): ProducerRecord => ({
    topic: `${PREFIX}events`,
    partition: 0,
    key: null,
    value,
  }));
  const producer = await kafka().createProducer();
  await producer.sendBatch(records);
  await producer.disconnect();
}

const kafka = () =>
  createKafka(
    { brokers: stack.kafka.brokers, clientId: "tests" },
    testEffects(),
  );

/** Bytes, as ClickHouse has them. */
async function selected(sql: string): Promise<Buffer> {
  const url = `${stack.clickhouse.url}/?database=${DATABASE}`;
  const response = await fetch(url, { method: "POST", body: sql });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(bytes.toString());
  return bytes;
}

const count = async (sql: string): Promise<number> =>
  Number((await selected(sql)).toString());

/** Services whose Kafka, ClickHouse and registry refuse them, each with the log of its trouble. */
async function startTroubled(): Promise<void> {
  const base = {
    ...environment(),
    KAFKA_BROKERS: stack.kafka.secure!.sasl,
    CLICKHOUSE_URL: stack.clickhouse.url,
    POSTRIDER_TOPIC_PREFIX: PREFIX,
    POSTRIDER_CLICKHOUSE_DATABASE: DATABASE,
    POSTRIDER_ADMIN_KEY: P.adminKey.text,
    NODE_OPTIONS: "",
  };
  const ports = createPortPicker();
  const start = async (
    name: ServiceName,
    [what, told]: readonly [what: string, told: RegExp],
    env: Env,
  ): Promise<void> => {
    const port = await ports.pick(0);
    const logFile = join(folder, `troubled-${what}.log`);
    troubled.push(
      spawnService({
        name,
        logFile,
        env: serviceEnv({ ...base, ...env }, port, "0"),
      }),
    );
    await waitFor(
      async () => {
        const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
        const text = await ready.text();
        places.push([`readyz troubled-${what}`, text]);
        return told.test(text) || told.test(readFileSync(logFile, "utf8"));
      },
      { everyMs: 200, timeoutMs: 90_000, what: `trouble of ${what}` },
    );
  };
  await Promise.all([
    start("ingest", ["kafka", /SASL.*fail/], {
      KAFKA_SASL_PASSWORD_FILE: "",
      KAFKA_SASL_PASSWORD: P.wrongKafkaPassword.text,
    }),
    start("recorder", ["clickhouse", /Authentication failed/], {
      CLICKHOUSE_USER: "recorder",
      CLICKHOUSE_PASSWORD: P.wrongClickhousePassword.text,
    }),
    // The receiver answers with the request's headers, and is no registry.
    start("retry-scheduler", ["registry", /schemas\.failed/], {
      SCHEMA_REGISTRY_URL: receiver.url,
      SCHEMA_REGISTRY_USERNAME: "postrider",
      SCHEMA_REGISTRY_PASSWORD: P.registryPassword.text,
    }),
  ]);
}

/** Asks for everything that the API shows. */
async function readAnswers(id: string): Promise<void> {
  const routes = [
    "GET /v1/endpoints",
    "GET /v1/endpoints/:id",
    "GET /v1/deliveries?limit=100",
    "GET /v1/attempts?limit=100",
    "GET /v1/dead-letters?limit=100",
    "GET /v1/audit?limit=100",
    "GET /v1/keys",
    "GET /v1/secrets",
    "GET /v1/status",
    "GET /v1/events/evt_avro?tenantId=acme",
    "GET /openapi.json",
  ];
  for (const route of routes) await ask("control", route, { id });
  for (const table of ["events", "attempts", "dead_letters", "audit"])
    await ask("control", "POST /v1/query", {
      body: { sql: `SELECT * FROM ${table} LIMIT 100` },
    });
}

async function readPlaces(): Promise<void> {
  const topics = topicPlan({ prefix: PREFIX, tiers: TIERS, partitions: 2 });
  const names = topics.map(({ topic }) => topic);
  for (const raw of await readTopics(kafka(), names)) {
    const headers = Object.values(raw.headers).map((value) =>
      Buffer.from(String(value)),
    );
    const bytes = [raw.key, raw.value, ...headers].filter(
      (each) => each !== null,
    );
    // Which tier a delivery waits in, a slow machine may decide.
    const topic = raw.topic.slice(PREFIX.length).replace(/^retry\..*/, "retry");
    places.push([`topic ${topic}`, Buffer.concat(bytes)]);
  }
  const tables = await selected(
    `SELECT name FROM system.tables WHERE database = '${DATABASE}' AND engine NOT LIKE '%View' FORMAT TSVRaw`,
  );
  for (const name of tables.toString().trim().split("\n"))
    places.push([
      `table ${name}`,
      await selected(`SELECT * FROM ${name} FORMAT RowBinary`),
    ]);
  for (const { services } of running)
    for (const { name, adminUrl } of services)
      for (const path of ["metrics", "readyz", "livez", "startupz"]) {
        const response = await fetch(`${adminUrl}/${path}`);
        places.push([`${path} ${name}`, await response.text()]);
      }
}

/** Node's report of each service, then the end of one by an exception. */
async function readCrashes(): Promise<void> {
  const services = running.flatMap((each) => each.services);
  for (const { pid } of services) process.kill(pid, "SIGUSR2");
  const texts = await waitFor(
    () => {
      const found = readdirSync(reports).map((name) =>
        readFileSync(join(reports, name), "utf8"),
      );
      // A file that is still being written is no JSON.
      for (const text of found) JSON.parse(text);
      return found.length >= services.length && found;
    },
    { what: "a report of each service" },
  );
  for (const text of texts) {
    expect(text).toContain("javascriptHeap");
    places.push(["report", text]);
  }
  const crashed = service("dispatcher");
  process.kill(crashed.pid, "SIGHUP");
  expect(await crashed.exited).toMatchObject({ code: 1 });
  expect(readFileSync(crashed.logFile, "utf8")).toContain("process.uncaught");
}

function readLogs(): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(".log"))
      places.push([`log ${name}`, readFileSync(join(folder, name))]);
}

test(
  "a planted secret is nowhere but where it must be",
  async () => {
    await plantInControl();
    const { endpoints } = await ask<{ endpoints: { id: string }[] }>(
      "control",
      "GET /v1/endpoints",
    );
    await waitFor(
      async () => {
        await ask("ingest", "POST /v1/events", { body: event({}) });
        return ["/endpoint", "/applied"].every((path) =>
          receiver.requests.some((request) => request.path === path),
        );
      },
      { everyMs: 500, what: "the endpoints' first deliveries" },
    );
    await plantInEvents();
    await Promise.all([
      startTroubled(),
      waitFor(
        async () =>
          (await count("SELECT count() FROM dead_letters")) >= 4 &&
          (await count(
            "SELECT uniqExact(event_id) FROM attempts WHERE endpoint_id LIKE 'inline%'",
          )) >= 3,
        { timeoutMs: 90_000, what: "every event to come to its end" },
      ),
    ]);
    await readAnswers(endpoints[0]!.id);
    await readPlaces();
    await readCrashes();
    readLogs();

    const search = new Search([
      ...Object.values(P),
      encryptionKey,
      whsec,
      ...made,
    ]);
    for (const [place, bytes] of places) search.look(place, bytes);

    const byDesign = Object.entries(BY_DESIGN).flatMap(([name, where]) =>
      where.map((place) => `${name} in ${place}`),
    );
    const found = search.found.map((each) => each.replace(/ \([^)]*\)/, ""));
    expect([...new Set(found)].toSorted()).toEqual(byDesign.toSorted());
    // Where nothing is looked at, nothing is found.
    for (const [kind, least] of [
      ["topic", 30],
      ["table", 6],
      ["log", 8],
      ["metrics", 5],
      ["report", 5],
      ["command", 2],
      ["answer", 25],
    ] as const)
      expect(search.looked.get(kind)).toBeGreaterThanOrEqual(least);
    // The receiver did get what it needs.
    const got = receiver.requests.map(
      ({ headers }) => headers["authorization"],
    );
    for (const { text } of [P.endpointHeader, P.appliedHeader, P.eventHeader])
      expect(got).toContain(`Bearer ${text}`);
  },
  LONG,
);

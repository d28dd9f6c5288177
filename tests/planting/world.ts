/** A secured stack with every service, each password and key of which is planted, and all that its APIs answer. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  migrate,
  startServices,
  type RunningServices,
  type ServiceName,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import { createKafka } from "@postrider/messaging";
import { grantsOf, grantStatement, type GrantHolder } from "@postrider/runtime";
import {
  makeCertificate,
  startReceiver,
  testEffects,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { prepareKafka } from "./prepare-kafka.ts";
import { encryptionKey, kafkaClient, P } from "./plants.ts";
import type { Plant } from "./search.ts";

export const PREFIX = "planted.";
export const DATABASE = "planted";
export const TIERS = parseTiers("1s,2s");
/** A topic that is not Postrider's. */
export const SOURCE = "planted-orders";
const SOURCES = `sources:
  - topic: ${SOURCE}
    format: json
    tenantId: { literal: acme }
    type: { path: $.event }
    id: { path: $.order.id }
    payload: { path: $.order }
`;

export type Env = Readonly<Record<string, string>>;

const CRASH = `process.on("SIGHUP", () => setImmediate(() => { throw new Error("crashed by the test"); }));`;

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "postrider-planting-"));
  readonly reports = join(this.folder, "reports");
  /** Everything that came out, by place. */
  readonly places: (readonly [place: string, bytes: Buffer | string])[] = [];
  /** How each route was answered. */
  readonly answered = new Map<string, number[]>();
  /** The values that processes were given for each variable, read from files where the variable names one. */
  readonly given = new Map<string, string[]>();
  /** What the registry that is none got as `authorization`. */
  readonly registryGot: (string | undefined)[] = [];
  readonly #certificate = makeCertificate({ hosts: ["127.0.0.1"] });
  #stack: Stack | null = null;
  #receiver: Receiver | null = null;
  #running: readonly RunningServices[] = [];
  #keys = `k1:${encryptionKey.text}`;
  /** Answers over TLS with the request's headers. */
  readonly #notRegistry = createServer(
    this.#certificate,
    (request, response) => {
      this.registryGot.push(request.headers.authorization);
      response.end(JSON.stringify(request.headers));
    },
  );

  async start(): Promise<void> {
    mkdirSync(this.reports);
    const stack = (this.#stack = await startStack({
      provider: "local",
      secure: {
        certificate: this.#certificate,
        trusted: [this.#certificate.cert],
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
    }));
    await prepareKafka(stack, {
      prefix: PREFIX,
      tiers: TIERS,
      source: SOURCE,
    });
    await migrate({ url: stack.clickhouse.url, database: DATABASE });
    // It writes what it gets into its answer, as a page for debugging does.
    this.#receiver = await startReceiver({
      answer: ({ path, headers }) => ({
        status: path === "/fails" ? 500 : 200,
        headers: { "x-echo": headers["authorization"] ?? "none" },
        // What is kept of an answer has the values of headers that nobody takes for a secret.
        body: JSON.stringify({ ...headers, "x-route": "left out" }),
      }),
    });
    await new Promise<void>((resolve) => {
      this.#notRegistry.listen(0, "127.0.0.1", resolve);
    });
    const { host } = new URL(stack.clickhouse.url);
    this.#running = await Promise.all([
      this.#startServices(["ingest", "dispatcher", "retry-scheduler"], {
        POSTRIDER_SOURCES_FILE: this.fileOf("sources.yaml", SOURCES),
      }),
      this.#startServices(["recorder"], {
        CLICKHOUSE_USER: "recorder",
        CLICKHOUSE_PASSWORD_FILE: this.fileOf(
          "clickhouse",
          P.recorderPassword.text,
        ),
      }),
      this.#startServices(["control"], {
        CLICKHOUSE_URL: `http://control:${P.controlPassword.text}@${host}`,
        // A user whom ClickHouse does not have.
        CLICKHOUSE_TENANT_USER: "tenants",
        CLICKHOUSE_TENANT_PASSWORD: P.tenantPassword.text,
      }),
    ]);
    for (const { environment } of this.#running) this.gives(environment);
  }

  async stop(): Promise<void> {
    for (const each of this.#running) await each.stop();
    await this.#receiver?.close();
    this.#notRegistry.closeAllConnections();
    this.#notRegistry.close();
    await this.#stack?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get stack(): Stack {
    return this.#stack!; // since the start
  }

  get receiver(): Receiver {
    return this.#receiver!; // since the start
  }

  get services() {
    return this.#running.flatMap(({ services }) => services);
  }

  service(name: ServiceName) {
    return this.services.find((each) => each.name === name)!;
  }

  /** The URL of what answers over TLS, and the authority that it comes from. */
  get notRegistry() {
    const { port } = this.#notRegistry.address() as AddressInfo; // it listens on one since the start
    return { url: `https://127.0.0.1:${port}`, ca: this.#certificate.cert };
  }

  /** Notes what a process is given. */
  gives(env: Env): void {
    for (const [name, value] of Object.entries(env)) {
      const isFile = name.endsWith("_FILE") && value !== "";
      const variable = isFile ? name.slice(0, -"_FILE".length) : name;
      const text = isFile ? readFileSync(value, "utf8") : value;
      this.given.set(variable, [...(this.given.get(variable) ?? []), text]);
    }
  }

  /** The newest comes first. Resolves once each service that has keys has it: one looks at the file when its metrics are read, too. */
  async addKey(kid: string, { text }: Plant): Promise<void> {
    this.#keys = `${kid}:${text},${this.#keys}`;
    this.fileOf("keys", this.#keys);
    const isFirst = new RegExp(
      String.raw`^postrider_encryption_key_position\{key="${kid}".*\} 1$`,
      "m",
    );
    await waitFor(
      async () => {
        const holders = this.services.filter(({ name }) =>
          KEY_HOLDERS.has(name),
        );
        const metrics = await Promise.all(
          holders.map(async ({ adminUrl }) =>
            (await fetch(`${adminUrl}/metrics`)).text(),
          ),
        );
        return metrics.every((text) => isFirst.test(text));
      },
      { timeoutMs: 90_000, what: "every service to have the new key" },
    );
  }

  /** The URL of the receiver with this path. */
  to(path: string): string {
    return `${this.receiver.url}${path}`;
  }

  fileOf(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  kafka() {
    const { brokers } = this.stack.kafka;
    return createKafka({ brokers, clientId: "tests" }, testEffects());
  }

  /** Bytes, as ClickHouse has them. */
  async selected(sql: string): Promise<Buffer> {
    const url = `${this.stack.clickhouse.url}/?database=${DATABASE}`;
    const response = await fetch(url, { method: "POST", body: sql });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!response.ok) throw new Error(bytes.toString());
    return bytes;
  }

  /** Asks a service's API, and keeps what it answers under the route, in which ids are `:id`. */
  async ask<T = { readonly id: string }>(
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
      `${this.service(name).url}${path.replace(/:\w+/, encodeURIComponent(more.id ?? ""))}`,
      {
        method,
        headers: {
          authorization: `Bearer ${P.adminKey.text}`,
          ...(more.body !== undefined && {
            "content-type": "application/json",
          }),
          "if-match": "*",
          ...more.headers,
        },
        ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
      },
    );
    const text = await response.text();
    const asked = route.replace(/\?.*/, "");
    const { status } = response;
    this.answered.set(asked, [...(this.answered.get(asked) ?? []), status]);
    this.places.push([
      `answer ${asked}`,
      `${status} ${JSON.stringify([...response.headers])} ${text}`,
    ]);
    const type = response.headers.get("content-type") ?? "";
    return (/[/+]json/.test(type) ? JSON.parse(text) : text) as T;
  }

  /** The admin key, and some more, in variables; all else in files. */
  environment(): Env {
    return {
      POSTRIDER_TIERS: TIERS.map(({ name }) => name).join(),
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_LOG_LEVEL: "debug",
      POSTRIDER_ENCRYPTION_KEYS_FILE: this.fileOf("keys", this.#keys),
      KAFKA_TLS: "true",
      KAFKA_TLS_CA: this.#certificate.cert,
      // The listener asks for no certificate. Who has one set gives it to whoever asks.
      KAFKA_TLS_CERT: kafkaClient.cert,
      KAFKA_TLS_KEY_FILE: this.fileOf("kafka.key", kafkaClient.key),
      KAFKA_TLS_KEY_PASSWORD: P.kafkaKeyPassword.text,
      KAFKA_SASL_MECHANISM: "scram-sha-512",
      KAFKA_SASL_USERNAME: "postrider",
      KAFKA_SASL_PASSWORD_FILE: this.fileOf("kafka", P.kafkaPassword.text),
      // SIGUSR2 writes Node's diagnostic report, SIGHUP is an exception that nobody catches: the log tells it.
      NODE_OPTIONS: `--report-on-signal --report-directory=${this.reports} --import=${this.fileOf("crash.mjs", CRASH)}`,
    };
  }

  #startServices(services: readonly ServiceName[], more: Env) {
    return startServices({
      stack: {
        kafka: { brokers: [this.stack.kafka.secure!.sasl] },
        clickhouse: { url: this.stack.clickhouse.url },
        schemaRegistry: null,
      },
      services,
      prefix: PREFIX,
      database: DATABASE,
      adminKey: P.adminKey.text,
      encryptionKeys: "",
      logDirectory: this.folder,
      env: { ...this.environment(), ...more },
    });
  }
}

/** Those that seal or open. */
const KEY_HOLDERS: ReadonlySet<ServiceName> = new Set([
  "ingest",
  "dispatcher",
  "control",
]);

function grantsFor(holder: GrantHolder): string[] {
  return grantsOf(holder, DATABASE).map((grant) =>
    grantStatement(grant, "").replace(/ TO $/, ""),
  );
}

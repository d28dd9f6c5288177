/** A secured stack with every service, each password and key of which is planted, and all that its APIs answer. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  type Receiver,
} from "@postrider/testkit";
import { prepareKafka } from "./prepare-kafka.ts";
import { encryptionKey, P } from "./plants.ts";

export const PREFIX = "planted.";
export const DATABASE = "planted";
export const TIERS = parseTiers("1s,2s");

export type Env = Readonly<Record<string, string>>;

const CRASH = `process.on("SIGHUP", () => setImmediate(() => { throw new Error("crashed by the test"); }));`;

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "postrider-planting-"));
  readonly reports = join(this.folder, "reports");
  /** Everything that came out, by place. */
  readonly places: (readonly [place: string, bytes: Buffer | string])[] = [];
  readonly #certificate = makeCertificate({ hosts: ["127.0.0.1"] });
  #stack: Stack | null = null;
  #receiver: Receiver | null = null;
  #running: readonly RunningServices[] = [];

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
    await prepareKafka(stack, { prefix: PREFIX, tiers: TIERS });
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
    const { host } = new URL(stack.clickhouse.url);
    this.#running = await Promise.all([
      this.#startServices(["ingest", "dispatcher", "retry-scheduler"], {}),
      this.#startServices(["recorder"], {
        CLICKHOUSE_USER: "recorder",
        CLICKHOUSE_PASSWORD_FILE: this.fileOf(
          "clickhouse",
          P.recorderPassword.text,
        ),
      }),
      this.#startServices(["control"], {
        CLICKHOUSE_URL: `http://control:${P.controlPassword.text}@${host}`,
      }),
    ]);
  }

  async stop(): Promise<void> {
    for (const each of this.#running) await each.stop();
    await this.#receiver?.close();
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
      `${this.service(name).url}${path.replace(":id", more.id ?? "")}`,
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
    this.places.push([
      `answer ${route.replace(/\?.*/, "")}`,
      `${response.status} ${JSON.stringify([...response.headers])} ${text}`,
    ]);
    return JSON.parse(text) as T;
  }

  /** The admin key, and one password, in variables; all else in files. */
  environment(): Env {
    return {
      POSTRIDER_TIERS: TIERS.map(({ name }) => name).join(),
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_LOG_LEVEL: "debug",
      POSTRIDER_ENCRYPTION_KEYS_FILE: this.fileOf(
        "keys",
        `k1:${encryptionKey.text}`,
      ),
      KAFKA_TLS: "true",
      KAFKA_TLS_CA: this.#certificate.cert,
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

function grantsFor(holder: GrantHolder): string[] {
  return grantsOf(holder, DATABASE).map((grant) =>
    grantStatement(grant, "").replace(/ TO $/, ""),
  );
}

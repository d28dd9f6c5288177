/**
 * Everything that a case works with: a stack, which cases share; its own topics, tables and services; a receiver and a
 * publisher with ledgers; and the judgement of what is left at the end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { migrate, type RunningService, type ServiceName } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import type { ServerHandle, Stack } from "@postrider/local-stack";
import { topicName, type Admin, type Kafka } from "@postrider/messaging";
import { verify } from "@postrider/signing";
import {
  bodyHash,
  checkInvariants,
  createAllTopics,
  deleteTopicsUnder,
  execute,
  kafkaAt,
  openLedger,
  readEntries,
  replayRunner,
  startReceiver,
  waitFor,
  type Evidence,
  type Interruption,
  type Ledger,
  type Random,
  type ReceivedRequest,
  type Receiver,
  type Survivor,
  type Violation,
} from "@postrider/testkit";
import {
  answers,
  KEY,
  SECRET,
  writeEndpoints,
  type Mood,
} from "./endpoints.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { readLag, readLog, readTables, waitForQuiet } from "./read-evidence.ts";
import { settledRollUps } from "./roll-ups.ts";
import { figuresNoMoreThan, figuresOf, Services } from "./services.ts";

/** Partitions of each topic except `control` and `schemas`; the same as in testkit. */
export const PARTITIONS = 2;
export const SESSION_TIMEOUT_MS = 6_000;
const TIERS = "200ms,500ms,1s";
/** How long to wait without any progress. */
const QUIET_WITHIN_MS = 60_000;
const DELIVERING = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "recorder",
] as const;

export interface WorldOptions {
  readonly stack: Stack;
  /** This case's topic prefix, such as `f3.`. */
  readonly prefix: string;
  readonly database: string;
  /** The folder of ledgers and logs. */
  readonly folder: string;
  readonly random: Random;
  readonly isShort: boolean;
  /** The folder of the older version, for a case that upgrades to a bundle of this checkout. Default: the checkout itself. */
  readonly older?: string | undefined;
  readonly blackholeTimeoutMs?: number | undefined;
}

interface CaseViolation extends Omit<Violation, "invariant"> {
  readonly invariant: "case";
}

/** The result of a case. `facts` are for people: how much happened, and how often the fault had an effect. */
export interface Verdict {
  readonly violations: readonly (Violation | CaseViolation)[];
  readonly facts: Readonly<Record<string, number>>;
}

/** A check of one case only: returns what is wrong, in words. */
export type Check = (evidence: Evidence) => Iterable<string>;

/** Figures of one case only, for people. */
export type Tell = (evidence: Evidence) => Readonly<Record<string, number>>;

export class World {
  readonly options: WorldOptions;
  readonly stack: Stack;
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly isShort: boolean;
  readonly tierTopics = parseTiers(TIERS).map(({ topic }) => topic);
  readonly services: Services;
  readonly mood: Mood = {
    slowMs: 0,
    blackhole: "hang",
    dead: 404,
    deadRefuseSome: false,
    outage: 200,
  };
  /** Whether a request is signed as it should be. A case that changes secrets judges this itself. */
  isSigned: (request: ReceivedRequest) => boolean = ({ headers, body }) =>
    verify({ headers, body, secrets: [SECRET] }).ok;
  readonly #checks: Check[] = [];
  readonly #told: Tell[] = [];
  readonly #interruptions: Interruption[] = [];
  readonly #survivors: Survivor[] = [];
  readonly #ledgers: Ledger[] = [];
  /** A kill of ClickHouse may cost a roll-up a part: docs/guarantees.md, Known not to hold. */
  #isClickHouseKilled = false;
  #admin: Admin | null = null;
  #receiver: Receiver | null = null;
  #publisher: Publisher | null = null;

  constructor(options: WorldOptions) {
    const { stack, prefix, folder } = options;
    this.options = options;
    this.stack = stack;
    this.prefix = prefix;
    this.isShort = options.isShort;
    this.kafka = kafkaAt(stack.kafka.brokers, "faults");
    mkdirSync(folder, { recursive: true });
    this.services = new Services(this.#environment(), folder);
  }

  get publisher(): Publisher {
    return present(this.#publisher);
  }

  get receiver(): Receiver {
    return present(this.#receiver);
  }

  get admin(): Admin {
    return present(this.#admin);
  }

  /** Makes topics, tables, endpoints, receiver and publisher, but starts no service. */
  async prepare(): Promise<void> {
    const { stack, database, folder, prefix } = this.options;
    const seen = openLedger(join(folder, "received"));
    const published = openLedger(join(folder, "published"));
    this.#ledgers.push(seen, published);
    this.#receiver = await startReceiver({
      answer: answers(this.mood),
      onRequest: (request) =>
        seen.write({
          kind: "received",
          webhookId: request.headers["webhook-id"] ?? "",
          webhookTimestamp: request.headers["webhook-timestamp"] ?? "",
          bodyHash: bodyHash(request.body),
          isSigned: this.isSigned(request),
        }),
    });
    this.#admin = this.kafka.admin();
    await this.#admin.connect();
    await this.#wholeCluster();
    const { url: receiverUrl } = this.#receiver;
    const { blackholeTimeoutMs } = this.options;
    const shape = { receiverUrl, blackholeTimeoutMs, partitions: PARTITIONS };
    await Promise.all([
      migrate({ url: stack.clickhouse.url, database }),
      tried(() => createAllTopics(this.kafka, prefix, this.tierTopics)),
    ]);
    await tried(() => writeEndpoints(this.kafka, prefix, shape));
    this.#publisher = createPublisher({
      kafka: this.kafka,
      prefix,
      partitions: PARTITIONS,
      ledger: published,
      random: this.options.random,
    });
  }

  /** Starts one process of each service of DELIVERING, without waiting. `env` holds extra variables by service. */
  async spawnAll(
    env: Readonly<Partial<Record<ServiceName, Record<string, string>>>> = {},
  ): Promise<RunningService[]> {
    const services: RunningService[] = [];
    for (const name of DELIVERING)
      services.push(await this.services.spawn(name, env[name]));
    return services;
  }

  /** As `spawnAll`, and waits until all are ready. */
  async startAll(
    env: Readonly<Partial<Record<ServiceName, Record<string, string>>>> = {},
  ): Promise<void> {
    await this.services.ready(...(await this.spawnAll(env)));
  }

  /** Records an interruption for as long as `fault` runs: a period in which requests of dispatchers may be cut off. */
  async interrupted<T>(fault: () => Promise<T>): Promise<T> {
    const from = Date.now();
    try {
      return await fault();
    } finally {
      this.#interruptions.push({ from, until: Date.now() });
    }
  }

  /** The stack's Kafka broker, which cases may kill and freeze. */
  get broker(): ServerHandle {
    return present(this.stack.kafka.server);
  }

  /** A broker of the cluster, by its node id. */
  node(id: number): ServerHandle {
    return present(this.stack.kafka.servers[id - 1] ?? null);
  }

  get registry(): { readonly url: string; readonly server: ServerHandle } {
    const { url, server } = present(this.stack.schemaRegistry);
    return { url, server: present(server) };
  }

  get clickhouse(): ServerHandle {
    return present(this.stack.clickhouse.server);
  }

  /** Kills it with kill -9. What a bucket of a roll-up may lack by this is repaired before it is judged. */
  async killClickHouse(): Promise<void> {
    this.#isClickHouseKilled = true;
    await this.clickhouse.kill9();
  }

  topic(name: string): string {
    return topicName(this.prefix, name);
  }

  /** Adds a check that is made at the end, with the invariants. */
  also(check: Check): void {
    this.#checks.push(check);
  }

  /** Adds figures to the verdict's facts. */
  tells(tell: Tell): void {
    this.#told.push(tell);
  }

  /** Kills a service with kill -9. For a dispatcher this is recorded as an interruption, which explains repeats. */
  async kill9(service: RunningService): Promise<void> {
    const kill = () => this.services.kill9(service);
    await (service.name === "dispatcher" ? this.interrupted(kill) : kill());
  }

  /** Waits until no group lags; throws with the lagging partitions when that takes too long. */
  async quiet(): Promise<void> {
    const lag = await this.#waitForQuiet();
    if (lag.records > 0)
      throw new Error(`did not come to rest: ${lag.places.join("; ")}`);
  }

  /** The partitions that lag now. */
  async lagging(): Promise<readonly string[]> {
    return (await readLag(this.admin, this.prefix, this.tierTopics)).places;
  }

  /** Measures every living service before and after `fault`, both times at rest. */
  async surviving(
    fault: () => Promise<void>,
    spareConnections = 0,
  ): Promise<void> {
    await this.quiet();
    this.receiver.closeIdle();
    const services = this.services.all();
    const before = await Promise.all(services.map(figuresOf));
    await fault();
    await this.quiet();
    this.receiver.closeIdle();
    const after = await Promise.all(
      services.map((service, i) =>
        figuresNoMoreThan(service, before[i]!, {
          spareConnections,
          timeoutMs: 30_000,
        }),
      ),
    );
    services.forEach(({ name }, i) =>
      this.#survivors.push({
        name,
        before: before[i]!,
        after: after[i]!,
        spareConnections,
      }),
    );
  }

  /** Waits until everything is over, reads what is left, and judges it. */
  async judge(): Promise<Verdict> {
    const lag = await this.#waitForQuiet();
    const { evidence, rollUpsRepaired } = await this.#evidence(lag.records);
    const replay = replayRunner(evidence.runner);
    const ages = replay.commitAgesMs;
    const requests = new Set(
      evidence.attempts
        .filter(({ attemptNumber }) => attemptNumber > 0)
        .map(({ deliveryId, step }) => `${deliveryId}#${step}`),
    ).size;
    const violations: (Violation | CaseViolation)[] = checkInvariants(evidence);
    for (const check of this.#checks)
      for (const detail of check(evidence))
        violations.push({ invariant: "case", subject: "", detail });
    for (const violation of violations)
      if (violation.invariant === "lag")
        violations[violations.indexOf(violation)] = {
          ...violation,
          detail: lag.places.join("; "),
        };
    return {
      violations,
      facts: {
        events: evidence.published.length,
        requests: evidence.received.length,
        attempts: evidence.attempts.length,
        repeats: evidence.received.length - requests,
        doneAgain: [...replay.repeated.values()].reduce((a, b) => a + b, 0),
        deadLetters: evidence.deadLetters.length,
        ...(this.#isClickHouseKilled && { rollUpsRepaired }),
        commitAgeP99Ms: ages[Math.floor(ages.length * 0.99)] ?? 0,
        ...Object.assign({}, ...this.#told.map((tell) => tell(evidence))),
      },
    };
  }

  /** Ends everything of the case. `isKept` keeps topics and tables for people to look at. */
  async close(isKept: boolean): Promise<void> {
    const { stack, database, prefix } = this.options;
    await this.services.killAll();
    await this.#publisher?.close();
    await this.#admin?.disconnect();
    await this.#receiver?.close();
    for (const ledger of this.#ledgers) ledger.close();
    if (isKept) return;
    await execute(
      stack.clickhouse.url,
      `DROP DATABASE IF EXISTS ${database} SYNC`,
    );
    await deleteTopicsUnder(this.kafka, prefix);
  }

  /** Waits until the cluster counts all its brokers: one that the previous case restarted answers before the controller gives it partitions. */
  async #wholeCluster(): Promise<void> {
    const { length } = this.stack.kafka.servers;
    await waitFor(async () => (await this.admin.brokerCount()) === length, {
      timeoutMs: 60_000,
      what: `${length} brokers`,
    });
  }

  async #waitForQuiet() {
    return await waitForQuiet(
      () => readLag(this.admin, this.prefix, this.tierTopics),
      QUIET_WITHIN_MS,
    );
  }

  async #evidence(lag: number): Promise<{
    readonly evidence: Evidence;
    readonly rollUpsRepaired: number;
  }> {
    const { stack, database, folder, prefix } = this.options;
    const registryUrl = stack.schemaRegistry?.url ?? null;
    const log = await readLog(this.kafka, prefix, registryUrl);
    const { url } = stack.clickhouse;
    // Its sums are judged as they are, and the buckets after the repair.
    const tables = await readTables(url, database, log);
    const { rollUps, repaired } = await settledRollUps({
      url,
      database,
      mayBeShort: this.#isClickHouseKilled,
    });
    const evidence = {
      ...log,
      ...tables,
      rollUps,
      published: readEntries(join(folder, "published"), "published"),
      received: readEntries(join(folder, "received"), "received"),
      runner: readEntries(join(folder, "runner"), "completed", "committed"),
      interruptions: this.#interruptions,
      survivors: this.#survivors,
      lag,
    };
    return { evidence, rollUpsRepaired: repaired };
  }

  #environment(): Record<string, string> {
    const { stack, database, folder, prefix } = this.options;
    const preload = new URL("preload/collect-garbage.ts", import.meta.url);
    return {
      KAFKA_BROKERS: stack.kafka.brokers.join(","),
      CLICKHOUSE_URL: stack.clickhouse.url,
      POSTRIDER_TOPIC_PREFIX: prefix,
      POSTRIDER_CLICKHOUSE_DATABASE: database,
      POSTRIDER_ADMIN_KEY: "admin",
      POSTRIDER_ENCRYPTION_KEYS: `${KEY.kid}:${KEY.key.toString("base64")}`,
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS}ms`,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_RUNNER_LEDGER: join(folder, "runner"),
      NODE_OPTIONS: `--import=${preload.href}`,
    };
  }
}

/** Does it again after a fault: in a cluster that has just become whole, a broker may not know yet what the others know. What is made twice is the same. */
async function tried(act: () => Promise<unknown>): Promise<void> {
  const isDone = () => act().then(() => true);
  await waitFor(isDone, { timeoutMs: 90_000, what: "the case's set-up" });
}

function present<T>(part: T | null): T {
  if (part === null)
    throw new Error("it is not there: prepare the world first");
  return part;
}

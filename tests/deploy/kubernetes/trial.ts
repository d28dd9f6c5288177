/** One release under observation: its endpoints, what was published, what came, and the judgement of what is left. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { verify } from "@postrider/signing";
import {
  bodyHash,
  openLedger,
  rowsOf,
  startReceiver,
  waitFor,
  type Interruption,
  type Ledger,
  type ReceivedRequest,
  type Receiver,
} from "@postrider/testkit";
import { publish, underLoad } from "./load.ts";
import { HOST_ADDRESS } from "./network.ts";
import { judge } from "./judge.ts";
import type { Release } from "./release.ts";
import { OUTER_CLICKHOUSE } from "./stand-ins.ts";

/** Enough that each of three dispatchers owns some, however the endpoints fall on six partitions. */
const ENDPOINTS = 24;
/** The answers of this one are refusals at first. */
const FLAKY = "/e0";

const typeOf = (i: number): string => `load.e${i}`;

export class Trial {
  readonly release: Release;
  readonly receiver: Receiver;
  readonly #folder: string;
  readonly #published: Ledger;
  readonly #received: Ledger;
  readonly #secrets: Map<string, string>;
  readonly #interruptions: Interruption[] = [];

  private constructor(
    release: Release,
    parts: {
      folder: string;
      receiver: Receiver;
      received: Ledger;
      secrets: Map<string, string>;
    },
  ) {
    this.release = release;
    this.receiver = parts.receiver;
    this.#folder = parts.folder;
    this.#received = parts.received;
    this.#secrets = parts.secrets;
    this.#published = openLedger(join(parts.folder, "published"));
  }

  /** Starts the receiver, on the address of the host that pods reach. Ledgers are kept in `folder`. */
  static async start(release: Release, folder: string): Promise<Trial> {
    mkdirSync(folder, { recursive: true });
    const received = openLedger(join(folder, "received"));
    const secrets = new Map<string, string>();
    const tries = new Map<string, number>();
    const receiver = await startReceiver({
      host: HOST_ADDRESS,
      answer: ({ path, headers }) => {
        if (path !== FLAKY) return { status: 200, delayMs: 20 };
        const id = headers["webhook-id"] ?? "";
        const nth = (tries.get(id) ?? 0) + 1;
        tries.set(id, nth);
        // A refusal that opens no breaker.
        return nth === 1 ? 409 : 200;
      },
      onRequest: (request) =>
        received.write({
          kind: "received",
          webhookId: request.headers["webhook-id"] ?? "",
          webhookTimestamp: request.headers["webhook-timestamp"] ?? "",
          bodyHash: bodyHash(request.body),
          isSigned: isSigned(request, secrets),
        }),
    });
    return new Trial(release, { folder, receiver, received, secrets });
  }

  /** Creates `count` endpoints, and publishes to the first until it gets something: route learns of an endpoint a moment later than control. */
  async createEndpoints(count = ENDPOINTS): Promise<void> {
    for (let i = 0; i < count; i++) {
      const path = `/e${i}`;
      const secret = await this.release.createEndpoint(
        `${this.receiver.url}${path}`,
        typeOf(i),
      );
      this.#secrets.set(path, secret);
    }
    const door = await this.release.door();
    const type = typeOf(count - 1);
    const path = `/e${count - 1}`;
    await waitFor(
      async () => {
        await publish(door, type, this.#published);
        return this.receiver.requests.some((request) => request.path === path);
      },
      { everyMs: 500, timeoutMs: 120_000, what: "the first delivery" },
    );
  }

  /** Publishes one event and waits until it is delivered and ClickHouse has the row. */
  async followOne(endpoint: number): Promise<void> {
    const before = this.receiver.requests.length;
    const eventId = await publish(
      await this.release.door(),
      typeOf(endpoint),
      this.#published,
    );
    const path = `/e${endpoint}`;
    await waitFor(
      () =>
        this.receiver.requests
          .slice(before)
          .some((request) => request.path === path),
      { timeoutMs: 60_000, what: "the delivery" },
    );
    await waitFor(
      async () => {
        const query = `SELECT event_id FROM ${this.release.name}.attempts WHERE event_id = {eventId:String} AND outcome = 'delivered'`;
        return (await rowsOf(OUTER_CLICKHOUSE, query, { eventId })).length > 0;
      },
      { timeoutMs: 60_000, everyMs: 200, what: "the row of the attempt" },
    );
  }

  /** Publishes to all endpoints while something is done to the release that may cut requests off. Returns how many events that were. */
  async underLoad(disturb: () => Promise<void>): Promise<number> {
    const types = Array.from({ length: ENDPOINTS }, (_, i) => typeOf(i));
    const load = { types, ledger: this.#published };
    return await underLoad(await this.release.door(), load, async () => {
      const from = Date.now();
      try {
        await disturb();
      } finally {
        this.#interruptions.push({ from, until: Date.now() });
      }
    });
  }

  /** The dispatchers that made attempts after `since`, epoch ms. */
  async workersSince(since: number): Promise<string[]> {
    const rows = await rowsOf<{ worker: string }>(
      OUTER_CLICKHOUSE,
      `SELECT DISTINCT worker FROM ${this.release.name}.attempts WHERE started_at >= fromUnixTimestamp64Milli({since:Int64})`,
      { since },
    );
    return rows.map(({ worker }) => worker);
  }

  /** Waits until all is over, and checks every invariant. Returns how much there was. Throws with what is wrong. */
  async judge(): Promise<string> {
    const { prefix, name } = this.release;
    return await judge({
      prefix,
      database: name,
      folder: this.#folder,
      interruptions: this.#interruptions,
    });
  }

  async close(): Promise<void> {
    await this.receiver.close();
    this.#published.close();
    this.#received.close();
  }
}

function isSigned(
  { path, headers, body }: ReceivedRequest,
  secrets: ReadonlyMap<string, string>,
): boolean {
  const secret = secrets.get(path);
  return (
    secret !== undefined && verify({ headers, body, secrets: [secret] }).ok
  );
}

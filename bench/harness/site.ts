/** Dispatchers alone, fed straight into their topic: without ingest, recorder and control. Each site has topics of its own, so that several stand side by side and are loaded in turn. */
import { setTimeout as sleep } from "node:timers/promises";
import { readiness } from "@postrider/cli";
import type { Endpoint } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import { checkAttempts, checkedReport, checkLag, seenAtOf } from "./checks.ts";
import type { BenchContext } from "./context.ts";
import { deliveryOf, eventOf, preload, writeEndpoints } from "./load.ts";
import { intendedMicros, openLoop, type OpenLoop } from "./open-loop.ts";
import { BOTH_CORES } from "./processes.ts";
import type { Sink } from "./sink.ts";
import { createTopics, type Topics } from "./stack.ts";
import { startPinnedService, type PinnedService } from "./subject.ts";

export interface SiteOptions {
  readonly stack: Stack;
  readonly sink: Sink;
  /** Its topics' prefix, which ends with a dot. */
  readonly prefix: string;
  readonly endpoints: readonly Endpoint[];
  /** How many of the endpoints get deliveries, the first ones. Default: all. */
  readonly active?: number;
  readonly partitions?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A dispatcher that is ready. */
export interface Started extends PinnedService {
  /** From its start to the first 200 of its /readyz, ms. */
  readonly readyMs: number;
}

const LOOK_EVERY_MS = 20;
const READY_WITHIN_MS = 60_000;

export class Site {
  readonly topics: Topics;
  readonly #context: BenchContext;
  readonly #options: SiteOptions;
  readonly #active: readonly Endpoint[];
  /** Deliveries so far. */
  #sent = 0;
  /** Requests that came again, as was allowed. */
  #repeated = 0;

  private constructor(
    context: BenchContext,
    options: SiteOptions,
    topics: Topics,
  ) {
    const { endpoints, active = endpoints.length } = options;
    this.#context = context;
    this.#options = options;
    this.#active = endpoints.slice(0, active);
    this.topics = topics;
  }

  /** Makes the topics, writes the endpoints and starts a retry-scheduler, which brings back what relief defers. */
  static async create(
    context: BenchContext,
    options: SiteOptions,
  ): Promise<Site> {
    const { stack, prefix, partitions, endpoints } = options;
    const topics = await createTopics(
      context,
      stack,
      prefix,
      partitions === undefined ? {} : { partitions },
    );
    await writeEndpoints(topics, endpoints);
    const site = new Site(context, options, topics);
    if (endpoints.length > 0) await site.#start("retry-scheduler");
    return site;
  }

  startDispatcher(): Promise<Started> {
    return this.#start("dispatcher");
  }

  async #start(name: "dispatcher" | "retry-scheduler"): Promise<Started> {
    const { stack, env } = this.#options;
    const startedAt = performance.now();
    const service = await startPinnedService(this.#context, {
      name,
      cores: BOTH_CORES,
      stack,
      topics: this.topics,
      ...(env === undefined ? {} : { env }),
    });
    for (;;) {
      const isReady = (await readiness(service.adminUrl))?.isReady;
      const readyMs = performance.now() - startedAt;
      if (isReady === true) return { ...service, readyMs };
      if (readyMs > READY_WITHIN_MS)
        throw new Error(`${name} is not ready: see ${service.logFile}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Writes so many deliveries at once and resolves to their webhook-ids; the active endpoints take turns. */
  async preload(count: number): Promise<string[]> {
    const ids: string[] = [];
    const records = this.#records(count, ids);
    await preload(this.topics, count, (i) => records[i]!);
    return ids;
  }

  /**
   * Sends deliveries at a fixed rate and waits until all have come. Resolves to the time (ms) from the moment for which each was planned to the
   * first byte of its request, in the order in which they were planned.
   */
  async latencies(
    load: Omit<OpenLoop, "send"> & {
      /** Requests that may come twice, because partitions move meanwhile. Default: none. */
      readonly repeatsAllowed?: number;
    },
  ): Promise<number[]> {
    const { perSecond, repeatsAllowed = 0 } = load;
    await this.#options.sink.reset();
    const ids: string[] = [];
    const startedAt = await openLoop({
      ...load,
      send: (first, last) =>
        this.topics.output.send(this.#records(last - first, ids)),
    });
    const seen = await this.checked(ids, repeatsAllowed);
    return ids.map(
      (id, i) =>
        (seen.get(id)! - intendedMicros(startedAt, perSecond, i)) / 1000,
    );
  }

  /** Waits until these ids have come, and checks them. Resolves to when each came, in µs of the sink's clock. */
  async checked(
    ids: readonly string[],
    repeatsAllowed = 0,
  ): Promise<Map<string, number>> {
    const { sink } = this.#options;
    await sink.waitForUnique(ids.length);
    await checkLag(this.topics, "dispatcher", "deliveries");
    const report = await checkedReport(sink, new Set(ids), repeatsAllowed);
    this.#repeated += report.requests - report.unique;
    return seenAtOf(report);
  }

  get repeated(): number {
    return this.#repeated;
  }

  /** Checks the attempts of all deliveries so far, and that there is no dead letter. Resolves to the number of deferrals. */
  checkAttempts(): Promise<number> {
    return checkAttempts(this.topics, this.#sent, this.#repeated);
  }

  #records(count: number, ids: string[]) {
    return Array.from({ length: count }, () => {
      const value = deliveryOf(eventOf("0", this.#sent++, this.#active));
      ids.push(value.webhookId);
      return { topic: "deliveries", key: value.endpointId, value } as const;
    });
  }
}

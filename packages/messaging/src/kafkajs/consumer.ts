/**
 * Implements the Consumer port with kafkajs: one member of one group, until `stop`.
 *
 * A *life* is one kafkajs consumer. It survives rebalances, and crashes after which kafkajs restarts by itself. After any
 * other crash the next life begins, with a back-off (docs/kafkajs.md, "Crashes").
 *
 * An *epoch* is one assignment: it begins at GROUP_JOIN and ends with the next one. A commit names its epoch and goes to the
 * coordinator under that epoch's member id and generation (docs/kafkajs.md, "A commit belongs to one assignment").
 */
import type { Kafka as KafkajsClient } from "kafkajs";
import { setTimeout as sleep } from "node:timers/promises";
import type { EpochMs } from "@postrider/core";
import type { Clock, Log, Meter } from "@postrider/runtime";
import type { ConsumerGroup } from "./patches/group-binding.ts";
import { syncBegunAt } from "./patches/sync-times.ts";
import {
  commitOnce,
  fetchCommitted,
  fetchOffsetAt,
  fetchEnds,
  fetchRanges,
} from "./group-requests.ts";
import { fetchOnce } from "./fetch-once.ts";
import { ConsumerLife, type LifeEvents } from "./consumer-life.ts";
import { isGroupServed } from "./reachable.ts";
import { byTopic } from "./by-topic.ts";
import { RestartBackOff } from "./restart-back-off.ts";
import { createUnreadableAlert } from "./unreadable-alert.ts";
import {
  StaleAssignmentError,
  type Consumer,
  type ConsumerListener,
  type ConsumerOptions,
  type TopicPartition,
} from "../ports.ts";

export interface KafkajsConsumerEffects {
  /** Makes a new client for each life. */
  readonly createClient: () => KafkajsClient;
  /** Makes a client with few retries, for asking whether the cluster answers and serves the group. */
  readonly createProbe: () => KafkajsClient;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** How long `stop` waits for kafkajs at most, ms: while the broker is away kafkajs' own stop never ends. */
const STOP_PATIENCE_MS = 5000;

/** After so long without a fetch we ask over other connections whether the group's coordinator answers, ms. */
const SUSPICIOUS_MS = 10_000;

/** The current assignment. */
interface Assignment {
  readonly epoch: number;
  readonly group: ConsumerGroup;
  readonly memberId: string;
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

export function createKafkajsConsumer(
  options: ConsumerOptions,
  effects: KafkajsConsumerEffects,
): Consumer {
  return new KafkajsConsumer(options, effects);
}

class KafkajsConsumer implements Consumer {
  readonly #options: ConsumerOptions;
  readonly #effects: KafkajsConsumerEffects;
  readonly #closing = new AbortController();
  readonly #backOff = new RestartBackOff();
  readonly #alert: ReturnType<typeof createUnreadableAlert>;
  #listener: ConsumerListener | null = null;
  #life: ConsumerLife | null = null;
  #living: Promise<void> = Promise.resolve();
  #epoch = 0;
  #assignment: Assignment | null = null;
  #watch: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isLeaving = false;
  /** The last fault that was logged; the same fault is not logged again until the next join. */
  #waitingFor: string | null = null;
  #heartbeatAt: number;
  #fetchAt: number;

  constructor(options: ConsumerOptions, effects: KafkajsConsumerEffects) {
    this.#options = options;
    this.#effects = effects;
    this.#alert = createUnreadableAlert(options.groupId, effects);
    this.#heartbeatAt = this.#fetchAt = effects.clock.monotonic();
  }

  async start(listener: ConsumerListener): Promise<void> {
    if (this.#listener !== null) throw new Error("A consumer starts once.");
    this.#listener = listener;
    this.#fetchAt = this.#effects.clock.monotonic();
    this.#watch = setInterval(() => void this.#excuse(), SUSPICIOUS_MS / 2);
    this.#watch.unref();
    await new Promise<void>((resolve) => {
      this.#closing.signal.addEventListener("abort", () => resolve(), {
        once: true,
      });
      this.#living = this.#live(resolve);
    });
  }

  pause(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0)
      this.#ask((consumer) => consumer.pause(byTopic(partitions)));
  }

  resume(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0)
      this.#ask((consumer) => consumer.resume(byTopic(partitions)));
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#ask((consumer) =>
      consumer.seek({ topic, partition, offset: String(offset) }),
    );
  }

  commit(...[epoch, offsets]: Parameters<Consumer["commit"]>): Promise<void> {
    const assignment = this.#assignment;
    if (assignment === null || assignment.epoch !== epoch)
      return Promise.reject(
        new StaleAssignmentError(`Assignment ${epoch} has ended.`),
      );
    return commitOnce(assignment, offsets, () => this.#epoch === epoch);
  }

  fetchCommitted(
    partitions: readonly TopicPartition[],
  ): ReturnType<Consumer["fetchCommitted"]> {
    return fetchCommitted(this.#group(), partitions);
  }

  fetchLogRanges(
    partitions: readonly TopicPartition[],
  ): ReturnType<Consumer["fetchLogRanges"]> {
    return fetchRanges(this.#group(), partitions);
  }

  fetchLogEnds(
    partitions: readonly TopicPartition[],
  ): ReturnType<Consumer["fetchLogEnds"]> {
    return fetchEnds(this.#group(), partitions);
  }

  fetchOnce(
    ...[partition, offset, maxBytes]: Parameters<Consumer["fetchOnce"]>
  ): ReturnType<Consumer["fetchOnce"]> {
    return fetchOnce(this.#group(), partition, { offset, maxBytes });
  }

  fetchOffsetAt(
    ...[partition, at]: Parameters<Consumer["fetchOffsetAt"]>
  ): ReturnType<Consumer["fetchOffsetAt"]> {
    return fetchOffsetAt(this.#group(), partition, at);
  }

  lastHeartbeatAt(): number {
    return this.#heartbeatAt;
  }

  lastFetchAt(): number {
    return this.#fetchAt;
  }

  beginLeaving(): void {
    this.#isLeaving = true;
  }

  async stop(deadline: EpochMs = Infinity): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#watch);
    const leftMs = Math.max(0, deadline - this.#effects.clock.now());
    await Promise.race([
      this.#living,
      sleep(Math.min(STOP_PATIENCE_MS, leftMs), undefined, { ref: false }),
    ]);
  }

  /** Runs one life after another, until `stop`. */
  async #live(onFetching: () => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const life = new ConsumerLife(
        this.#options,
        {
          client: this.#effects.createClient(),
          probe: this.#effects.createProbe(),
          log: this.#effects.log,
        },
        this.#events(onFetching),
        () => this.#ownership(),
      );
      this.#life = life;
      const error = await life.run(signal);
      this.#assignment = null;
      this.#listener?.connected(false);
      if (error === null) return;
      const waitMs = this.#backOff.crashed();
      this.#effects.log.error("consumer.crashed", {
        groupId: this.#options.groupId,
        error: error.message,
        waitMs,
      });
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #events(onFetching: () => void): LifeEvents {
    const listener = this.#listener!;
    const { clock, log } = this.#effects;
    return {
      joined: (...joined) => this.#joined(...joined),
      revoking: () => {
        if (this.#assignment !== null) listener.revoking(this.#epoch);
      },
      batch: (batch) => {
        // Fetched before a crash, and handed over late by the loop of another broker.
        if (this.#assignment === null) return;
        listener.batch(this.#epoch, batch);
        this.#backOff.delivered();
      },
      unreadable: (records) => this.#alert(records),
      outOfRange: (partition) => {
        if (this.#assignment !== null)
          listener.outOfRange(this.#epoch, partition);
      },
      connected: (isConnected) => {
        this.#fetchAt = clock.monotonic();
        listener.connected(isConnected);
      },
      waiting: ({ message }) => {
        if (message === this.#waitingFor) return;
        this.#waitingFor = message;
        const { groupId, topics } = this.#options;
        log.warn("consumer.waited", { groupId, topics, error: message });
      },
      heartbeat: (sentAt) =>
        (this.#heartbeatAt = Math.max(this.#heartbeatAt, sentAt)),
      fetching: (isFirst) => {
        this.#fetchAt = clock.monotonic();
        if (isFirst) onFetching();
      },
    };
  }

  /** While the group's coordinator does not answer, fetch loops stand still, too. That is no fault of this process, so it must not fail liveness (docs/kafkajs.md, "A loop that stands still"). */
  async #excuse(): Promise<void> {
    const { clock, createProbe } = this.#effects;
    const isLate = clock.monotonic() - this.#fetchAt > SUSPICIOUS_MS;
    if (!isLate || this.#isAsking) return;
    this.#isAsking = true;
    if (!(await isGroupServed(createProbe(), this.#options)))
      this.#fetchAt = clock.monotonic();
    this.#isAsking = false;
  }

  #joined(
    ...[group, partitions, allAble]: Parameters<LifeEvents["joined"]>
  ): void {
    this.#waitingFor = null;
    this.#epoch++;
    this.#assignment = {
      epoch: this.#epoch,
      group,
      memberId: group.memberId,
      generation: group.generationId,
      partitions,
    };
    this.#heartbeatAt = Math.max(this.#heartbeatAt, syncBegunAt(group));
    // kafkajs would fetch from a position of its own: pause everything until the listener has sought. After a crash with
    // restart the group object is new and has forgotten all pauses, so this is needed then, too
    // (docs/kafkajs.md, "We say where reading begins").
    this.pause(partitions);
    this.#listener!.connected(true);
    this.#listener!.assigned(this.#epoch, partitions, allAble);
  }

  /** Runs a pause, resume or seek. Between a crash and the next join there is no group, so it does nothing; after the join the listener sets everything again. */
  #ask(question: (consumer: ConsumerLife["consumer"]) => void): void {
    if (this.#life === null || this.#assignment === null) return;
    try {
      question(this.#life.consumer);
    } catch (error) {
      const { log } = this.#effects;
      log.debug("consumer.notAsked", { error: String(error) });
    }
  }

  #ownership() {
    return {
      generation: this.#assignment?.generation ?? -1,
      partitions: this.#assignment?.partitions ?? [],
      isLeaving: this.#isLeaving,
    };
  }

  #group(): ConsumerGroup {
    if (this.#assignment === null)
      throw new StaleAssignmentError("The consumer is in no group now.");
    return this.#assignment.group;
  }
}

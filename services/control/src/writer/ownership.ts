/**
 * Decides which process may write endpoints. Invariant: a write is sent only by the producer of the current tenure, and a
 * tenure begins only after (1) the group assigned us the one partition of `control`, (2) a new transactional producer
 * fenced every earlier one and ended its open transactions, and (3) our table was read to the end of the log after that
 * fence. So the writer has seen everything that was ever written, and no other process can write any more.
 *
 *   follower ──assigned──▶ acquiring ──fenced, caught up──▶ owner
 *      ▲                       ▲                              │ a write failed or was fenced: the tenure ends
 *      └──revoked, lost────────┴──a later heartbeat───────────┘
 *
 * After a failed write we acquire again only once the group's coordinator has acknowledged a heartbeat later than the
 * failure. Otherwise two processes that both believe that they own the partition would fence each other for ever.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Consumer, FencedProducer } from "@postrider/messaging";
import {
  within,
  type Clock,
  type Lifecycle,
  type Log,
  type Meter,
} from "@postrider/runtime";

/** A period in which this process is the writer. */
export interface Tenure {
  readonly producer: FencedProducer;
  /** Aborted when the tenure ends, for any reason. */
  readonly ended: AbortSignal;
  /** Ends the tenure after a failed write: it is then uncertain what the log holds and whether our table shows it. Safe to call twice. */
  fail(why: string): void;
}

export interface Ownership extends Lifecycle {
  /** The current tenure; null on a follower and while acquiring. */
  tenure(): Tenure | null;
  /** The listener is called at the beginning of each tenure. */
  onTenure(listener: (tenure: Tenure) => void): void;
  /** Milliseconds since the group's coordinator last answered; before the first join, Infinity. More than the session timeout means that Kafka is away and our table may be old. */
  heartbeatAgeMs(): number;
  /** The state for status and readiness; `detail` describes the last event. */
  describe(): { readonly state: OwnershipState; readonly detail: string };
}
export type OwnershipState = "owner" | "follower" | "acquiring";

export interface OwnershipOptions {
  readonly consumer: Consumer;
  /** Makes a producer that fences all earlier ones. */
  readonly fencedProducer: () => Promise<FencedProducer>;
  /** Reads our own table to the current end of the log. */
  readonly catchUp: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** How long `start` waits until it is known which replica is the owner. After that it goes on anyway. Default 10 s. */
  readonly settleMs?: number;
}

const HEARTBEAT_POLL_MS = 100;
const MAX_BACKOFF_MS = 5_000;

export function createOwnership(options: OwnershipOptions): Ownership {
  const { consumer, clock, log } = options;
  const gauge = options.meter.gauge(
    "postrider_control_is_owner",
    "1 while this process is the writer of endpoints.",
  );
  const listeners: ((tenure: Tenure) => void)[] = [];
  /** Incremented for each acquisition and each loss of the assignment; an acquisition with an older number gives up. */
  let turn = 0;
  let acquiring: Promise<void> = Promise.resolve();
  let hasJoined = false;
  let isAssigned = false;
  let isStopped = false;
  let current: (Tenure & { end(why: string): void }) | null = null;
  let detail = "has not joined the group yet";
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));

  function endTenure(why: string): void {
    current?.end(why);
    detail = why;
  }

  function begin(producer: FencedProducer): void {
    const aborter = new AbortController();
    const tenure = {
      producer,
      ended: aborter.signal,
      end(why: string): void {
        if (aborter.signal.aborted) return;
        if (current === tenure) current = null;
        gauge.set(0);
        log.warn("ownership.ended", { why });
        aborter.abort();
        void producer.disconnect().catch(() => {});
      },
      fail(why: string): void {
        if (aborter.signal.aborted) return;
        endTenure(why);
        acquire(clock.monotonic());
      },
    };
    current = tenure;
    detail = "owns the control partition";
    gauge.set(1);
    log.info("ownership.acquired", {});
    settle();
    for (const listener of listeners) listener(tenure);
  }

  /** Acquisitions run one at a time: each new producer fences all others, so an old acquisition that ended late would fence the newer producer. */
  function acquire(after: MonotonicMs | null): void {
    turn += 1;
    const mine = turn;
    const isMine = (): boolean => turn === mine && isAssigned && !isStopped;
    acquiring = acquiring.then(() => tryToAcquire(after, isMine));
  }

  /** Tries until this process is the owner, or this acquisition is outdated. `after`: waits first for a heartbeat later than this. */
  async function tryToAcquire(
    after: MonotonicMs | null,
    isMine: () => boolean,
  ): Promise<void> {
    for (let failures = 0; isMine(); failures += 1) {
      while (isMine() && after !== null && consumer.lastHeartbeatAt() <= after)
        await pause(HEARTBEAT_POLL_MS);
      if (!isMine()) return;
      let producer: FencedProducer | null = null;
      try {
        producer = await options.fencedProducer();
        await options.catchUp();
        if (isMine()) return begin(producer);
        await producer.disconnect();
      } catch (error) {
        detail = `cannot acquire: ${String(error)}`;
        log.warn("ownership.notAcquired", { error: String(error), failures });
        await producer?.disconnect().catch(() => {});
        await pause(Math.min(MAX_BACKOFF_MS, 200 * 2 ** Math.min(failures, 5)));
      }
    }
  }

  function lose(why: string): void {
    isAssigned = false;
    turn += 1;
    endTenure(why);
  }

  return {
    tenure: () => current,
    onTenure: (listener) => void listeners.push(listener),
    heartbeatAgeMs: () =>
      hasJoined ? clock.monotonic() - consumer.lastHeartbeatAt() : Infinity,
    describe() {
      if (current !== null) return { state: "owner", detail };
      return { state: isAssigned ? "acquiring" : "follower", detail };
    },
    async start() {
      const joined = consumer.start({
        assigned(_epoch, partitions) {
          lose("the group was reassigned");
          hasJoined = true;
          isAssigned = partitions.length > 0;
          detail = isAssigned ? "acquiring" : "another replica is the owner";
          if (isAssigned) acquire(null);
          else settle();
          // No record is read from the topic; the partitions are resumed because the fetch loop also sends the heartbeats.
          consumer.resume(partitions);
        },
        revoking: () => lose("the group is being reassigned"),
        batch: () => {},
        outOfRange: () => {},
        connected(isConnected) {
          if (!isConnected) endTenure("the connection to the group was lost");
          else if (isAssigned && current === null) acquire(null);
        },
      });
      joined.catch((error: unknown) => {
        if (!isStopped)
          log.error("ownership.joinFailed", { error: String(error) });
      });
      await within(settled, options.settleMs ?? 10_000);
    },
    async stop() {
      isStopped = true;
      const producer = current?.producer;
      lose("stopped");
      await producer?.disconnect().catch(() => {});
      await consumer.stop();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

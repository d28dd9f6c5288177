/**
 * Knows which brokers of one cluster are *silent*: one is if it does not answer while another one does. A lost machine is silent,
 * and so is a frozen process: no connection to it ends, and kafkajs would wait for it (docs/kafkajs.md, "A silent broker").
 *
 *   heard ──a request is late: it does not answer, and another broker does──▶ silent ──it answers──▶ heard
 *
 * Invariant: no connection to a silent broker is open, and none is made. So for kafkajs it is a broker that has died.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "node:net";
import type { Log } from "@postrider/runtime";

export interface SilentBrokersOptions {
  /** The brokers that the client was given, as `host:port`. More are learned from their connections. */
  readonly brokers: readonly string[];
  /** Asks a broker over a new connection. Resolves with whether it answered soon; never rejects. */
  readonly ask: (broker: string) => Promise<boolean>;
  readonly log: Log;
  /** From one question to the next, ms. Default 2 s. */
  readonly askEveryMs?: number;
}

export class SilentBrokers {
  readonly #options: SilentBrokersOptions;
  readonly #sockets = new Map<string, Set<Socket>>();
  readonly #silent = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(options: SilentBrokersOptions) {
    this.#options = options;
    for (const broker of options.brokers) this.#sockets.set(broker, new Set());
  }

  isSilent(broker: string): boolean {
    return this.#silent.has(broker);
  }

  /** Keeps the socket until it closes, to close it if the broker falls silent. */
  opened(broker: string, socket: Socket): void {
    let sockets = this.#sockets.get(broker);
    if (sockets === undefined) this.#sockets.set(broker, (sockets = new Set()));
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  }

  /** A request to the broker waits for its answer. Call it as often as you like: the broker is asked every two seconds at most. */
  late(broker: string): void {
    if (!this.#sockets.has(broker) || this.#asked.has(broker)) return;
    this.#asked.add(broker);
    void this.#judge(broker).finally(() => this.#asked.delete(broker));
  }

  async #judge(broker: string): Promise<void> {
    const { ask, log, askEveryMs = 2000 } = this.#options;
    const others = [...this.#sockets.keys()].filter(
      (other) => other !== broker && !this.#silent.has(other),
    );
    // All at the same time: if this process or its network stands still, none of them answers.
    const [isHeard, ...areHeard] = await Promise.all(
      [broker, ...others].map(ask),
    );
    if (!isHeard && areHeard.includes(true)) {
      this.#silent.add(broker);
      log.warn("broker.silent", { broker });
      for (const socket of this.#sockets.get(broker)!)
        socket.destroy(refusal(broker));
      const since = performance.now();
      do await sleep(askEveryMs, undefined, { ref: false });
      while (!(await ask(broker)));
      this.#silent.delete(broker);
      const silentMs = Math.round(performance.now() - since);
      log.info("broker.heard", { broker, silentMs });
    }
    await sleep(askEveryMs, undefined, { ref: false });
  }
}

/** The error of every connection to a silent broker. kafkajs looks for another coordinator only after an error with this code. */
export function refusal(broker: string): Error {
  return Object.assign(
    new Error(`${broker} is silent: it does not answer, and other brokers do`),
    { code: "ECONNREFUSED" },
  );
}

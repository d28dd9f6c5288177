/** The harness's connection to the sink. */
import { setTimeout as sleep } from "node:timers/promises";
import { MISBEHAVIOURS, type MisbehaviourName } from "@postrider/testkit";
import type {
  SinkCount,
  SinkReport,
  UnrulyQuestion,
} from "../sink/protocol.ts";
import {
  messageOf,
  programOf,
  startPinned,
  type Cores,
  type Pinned,
} from "./processes.ts";

export interface Sink {
  readonly url: string;
  /** One for each port that the sink listens on; `url` is the first. */
  readonly urls: readonly string[];
  readonly pid: number;
  /** Forgets all requests so far. */
  reset(): Promise<void>;
  count(): Promise<SinkCount>;
  report(): Promise<SinkReport>;
  /** Resolves once `count` unique ids have come; throws after `timeoutMs` without a new one. */
  waitForUnique(count: number, timeoutMs?: number): Promise<SinkCount>;
  /** As `waitForUnique`, but counts requests, including repeated ids. */
  waitForRequests(count: number, timeoutMs: number): Promise<SinkCount>;
  /** Refuses connections from now on, and resets those that are open. */
  shut(): Promise<void>;
  /** Listens again. */
  open(): Promise<void>;
  /** Refuses every request with 409 from now on, which opens no circuit breaker. */
  refuse(): Promise<void>;
  /** Accepts requests again. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 10;

export async function startSink(
  cores: Cores,
  args: readonly string[] = [],
): Promise<Sink> {
  const main = programOf("sink/main.ts");
  return await sinkOf(startPinned({ name: "sink", cores, main, args }), "http");
}

/** A second sink, whose endpoints misbehave. */
export interface UnrulySink extends Sink {
  /** Makes all endpoints well, or as unruly as their names say, and cuts their connections. Those of TLS are never well. */
  turn(isWell: boolean): Promise<void>;
}

/** One port for each of the misbehaviours; all are well until they are turned. */
export async function startUnrulySink(
  cores: Cores,
  misbehaviours: readonly MisbehaviourName[],
): Promise<UnrulySink> {
  const main = programOf("sink/unruly.ts");
  const name = "unruly-sink";
  const sink = startPinned({ name, cores, main, args: misbehaviours });
  const schemes = misbehaviours.map((each) =>
    MISBEHAVIOURS[each].tls === undefined ? "http" : "https",
  );
  return {
    ...(await sinkOf(sink, ...schemes)),
    turn: async (isWell) =>
      void (await ask(sink, { kind: "turn", isWell }, "count")),
  };
}

/** `schemes`: of each port; the last one counts for all further ports. */
async function sinkOf(
  sink: Pinned,
  ...schemes: readonly string[]
): Promise<Sink> {
  const { ports } = await messageOf<{ ports: number[] }>(sink, "listening");
  const urls = ports.map(
    (port, i) => `${schemes[i] ?? schemes.at(-1)}://127.0.0.1:${port}/hook`,
  );
  const count = (): Promise<SinkCount> => ask(sink, { kind: "count" }, "count");
  return {
    url: urls[0]!,
    urls,
    pid: sink.pid,
    reset: async () => void (await ask(sink, { kind: "reset" }, "count")),
    count,
    report: () => ask(sink, { kind: "report" }, "report"),
    waitForUnique: (wanted, timeoutMs = 15_000) =>
      waitFor(count, { what: "unique", wanted, timeoutMs }),
    waitForRequests: (wanted, timeoutMs) =>
      waitFor(count, { what: "requests", wanted, timeoutMs }),
    shut: async () => void (await ask(sink, { kind: "shut" }, "count")),
    open: async () => void (await ask(sink, { kind: "open" }, "count")),
    refuse: async () => void (await ask(sink, { kind: "refuse" }, "count")),
    accept: async () => void (await ask(sink, { kind: "accept" }, "count")),
    stop: () => sink.stop(1_000),
  };
}

async function waitFor(
  count: () => Promise<SinkCount>,
  given: {
    readonly what: "unique" | "requests";
    readonly wanted: number;
    readonly timeoutMs: number;
  },
): Promise<SinkCount> {
  const { what, wanted, timeoutMs } = given;
  let last = await count();
  let progressAt = performance.now();
  while (last[what] < wanted) {
    if (performance.now() - progressAt > timeoutMs)
      throw new Error(
        `the sink has seen ${last[what]} of ${wanted} (${what}) and no new one for ${timeoutMs / 1000} s`,
      );
    await sleep(LOOK_EVERY_MS);
    const now = await count();
    if (now[what] > last[what]) progressAt = performance.now();
    last = now;
  }
  return last;
}

async function ask<T>(
  sink: Pinned,
  question: UnrulyQuestion,
  answer: string,
): Promise<T> {
  const answered = messageOf<T>(sink, answer);
  sink.child.send(question);
  return await answered;
}

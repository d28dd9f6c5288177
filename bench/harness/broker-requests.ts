/**
 * How many requests of each kind the broker has had, as the broker itself counts them (its JMX beans `RequestsPerSec`). A Java
 * process attaches to the broker, whose options need not change, and stays. A question takes it some milliseconds; between two
 * questions it does nothing. Needs Java's module `jdk.attach`, and the compiler for a single source file.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { tied } from "@postrider/cli";
import type { BenchContext } from "./context.ts";
import { programOf } from "./processes.ts";

/** By kind, since the broker's start. `other`: heartbeats, metadata, offsets and the like. */
export interface BrokerRequests {
  readonly produce: number;
  readonly fetch: number;
  readonly offsetCommit: number;
  readonly other: number;
}

export interface RequestCounter {
  read(): Promise<BrokerRequests>;
}

export async function countRequests(
  { undo }: Pick<BenchContext, "undo">,
  brokerPid: number,
): Promise<RequestCounter> {
  const [command, ...args] = tied([
    // The broker's own Java.
    readlinkSync(`/proc/${brokerPid}/exe`),
    "-XX:-UsePerfData",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    programOf("harness/broker-requests.java"),
    String(brokerPid),
  ]);
  const child = spawn(command, args, {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  undo.push(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = createInterface({ input: child.stdout });
  const answers = lines[Symbol.asyncIterator]();
  const counter: RequestCounter = {
    async read() {
      child.stdin.write("\n");
      const { value, done } = await answers.next();
      if (done === true)
        throw new Error(`nobody counts the requests of ${brokerPid}`);
      return requestsOf(value);
    },
  };
  // It has attached when it answers.
  await counter.read();
  return counter;
}

/** From one line of JSON, with Kafka's names of requests. Its `Fetch` counts fetches of followers, too. */
export function requestsOf(line: string): BrokerRequests {
  const counts = JSON.parse(line) as Record<string, number>; // as broker-requests.java prints it
  const {
    Produce: produce = 0,
    FetchConsumer: fetch = 0,
    OffsetCommit: offsetCommit = 0,
    Fetch: _all,
    ...others
  } = counts;
  const other = Object.values(others).reduce((sum, each) => sum + each, 0);
  return { produce, fetch, offsetCommit, other };
}

/** A closed-loop load of `POST /v1/events`, and what it costs the process that answers. */
import { topicName } from "@postrider/messaging";
import { Agent } from "undici";
import { BODY } from "./load.ts";
import { cpuSecondsOf } from "./proc-stat.ts";
import { readTopic } from "./read-topic.ts";
import type { Topics } from "./stack.ts";
import { ADMIN_KEY } from "./subject.ts";

/** One that answers `POST /v1/events`. */
export interface Answerer {
  readonly pid: number;
  readonly url: string;
}

export interface PostLoad {
  /** Begins the ids of the events. */
  readonly run: string;
  /** Of events. */
  readonly count: number;
  /** Events in a request. */
  readonly batch: number;
}

export interface Posted {
  /** Events per CPU second of the answerer. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

/** So many events are under way at once, in as many requests as that makes, but at most so many. */
const UNDER_WAY = 1_600;
const MOST_CONNECTIONS = 64;
const TENANT = "tenant0";

/** Measures from a tenth of the events to nine tenths. Throws at an answer that is not 202. */
export async function postLoad(
  { pid, url }: Answerer,
  load: PostLoad,
): Promise<Posted> {
  const { count, batch } = load;
  const connections = Math.min(MOST_CONNECTIONS, Math.ceil(UNDER_WAY / batch));
  const agent = new Agent({ connections });
  const marks: { done: number; atMs: number; cpu: number }[] = [];
  let next = 0;
  let done = 0;
  const mark = (share: number): void => {
    if (done < share * count) return;
    marks.push({ done, atMs: performance.now(), cpu: cpuSecondsOf(pid) });
  };
  const loop = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += batch;
      const { statusCode, body } = await agent.request({
        origin: url,
        path: "/v1/events",
        method: "POST",
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          "content-type": "application/json",
        },
        body: bodyFrom(load, from),
      });
      const text = await body.text();
      if (statusCode !== 202) throw new Error(`${statusCode}: ${text}`);
      done += batch;
      if (marks.length === 0) mark(0.1);
      else if (marks.length === 1) mark(0.9);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, loop));
  } finally {
    await agent.close();
  }
  const [from, to] = marks;
  if (from === undefined || to === undefined)
    throw new Error(`${count} events are too few to measure`);
  const events = to.done - from.done;
  return {
    perCpuSecond: events / (to.cpu - from.cpu),
    perSecond: (1_000 * events) / (to.atMs - from.atMs),
  };
}

function bodyFrom({ run, batch }: PostLoad, from: number): string {
  if (batch === 1) return eventText(run, from);
  const events = Array.from({ length: batch }, (_, i) =>
    eventText(run, from + i),
  );
  return `{"events":[${events.join(",")}]}`;
}

function eventText(run: string, i: number): string {
  return `{"id":"${run}_${i}","type":"order.paid","tenantId":"${TENANT}","payload":${PAYLOAD}}`;
}

const PAYLOAD = BODY.toString();

/** Each event of the loads must be on the topic once, and nothing else. */
export async function checkPosted(
  { kafka, prefix }: Topics,
  loads: readonly PostLoad[],
): Promise<void> {
  const keys = new Set<string>();
  let records = 0;
  const topic = topicName(prefix, "events");
  await readTopic({ kafka, topic, from: undefined }, ({ key }) => {
    records += 1;
    keys.add(key?.toString() ?? "");
  });
  const count = loads.reduce((sum, load) => sum + load.count, 0);
  const missing = loads.filter(
    ({ run, count: of }) =>
      !keys.has(`${TENANT}:${run}_0`) ||
      !keys.has(`${TENANT}:${run}_${of - 1}`),
  );
  if (records !== count || keys.size !== count || missing.length > 0)
    throw new Error(
      `${topic} has ${records} records of ${keys.size} events; ${count} were sent`,
    );
}

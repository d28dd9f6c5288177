/** The two ways in which events come: through the `events` topic, and one by one through the HTTP door. */
import { Kafka, logLevel, Partitioners, type Message } from "kafkajs";
import { topicName } from "@postrider/messaging";
import { Agent } from "undici";
import type { BenchContext } from "./context.ts";
import { eventRecord, type LoadEvent } from "./load.ts";
import { ADMIN_KEY } from "./subject.ts";
import type { Whole } from "./whole.ts";

export interface Publisher {
  /** Resolves when all events are acknowledged. */
  publish(events: readonly LoadEvent[]): Promise<unknown>;
  /** How many requests of its own it has sent to the broker. */
  produceRequests(): number;
}

/** A bare producer. What becomes due while a request is under way is in the next one. */
export async function topicPublisher(
  { undo }: BenchContext,
  { stack, topics }: Whole,
): Promise<Publisher> {
  const kafka = new Kafka({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.ERROR,
  });
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  undo.push(() => producer.disconnect());
  const topic = topicName(topics.prefix, "events");
  let waiting: Message[] = [];
  let requests = 0;
  let last = Promise.resolve();
  const send = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const messages = waiting;
    waiting = [];
    requests += 1;
    await producer.sendBatch({ topicMessages: [{ topic, messages }] });
  };
  return {
    publish(events) {
      for (const event of events) {
        const record = eventRecord(event);
        const value = topics.schemas.encode(record);
        waiting.push({ key: record.key, value });
      }
      return (last = last.then(send));
    },
    produceRequests: () => requests,
  };
}

/** One request for each event, as publishers do that have no batches. */
export function doorPublisher(
  { undo }: BenchContext,
  { running }: Whole,
): Publisher {
  const agent = new Agent({ connections: 256 });
  undo.push(() => agent.close());
  const post = async ({ event }: LoadEvent): Promise<void> => {
    const { id, type, tenantId, payload } = event;
    const { statusCode, body } = await agent.request({
      origin: running.ingestUrl,
      path: "/v1/events",
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        "content-type": "application/json",
      },
      body: `{"id":"${id}","type":"${type}","tenantId":"${tenantId}","payload":${payload.toString()}}`,
    });
    const text = await body.text();
    if (statusCode !== 202)
      throw new Error(`the door answered ${statusCode}: ${text}`);
  };
  return {
    publish: (events) => Promise.all(events.map(post)),
    produceRequests: () => 0,
  };
}

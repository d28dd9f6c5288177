/** Baseline: a bare fastify route that does nothing but produce the events of its requests, and answers once they are acknowledged. BROKER TOPIC */
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { Kafka, logLevel, Partitioners, type Message } from "kafkajs";

interface Event {
  readonly id: string;
  readonly tenantId: string;
}

const [broker = "", topic = ""] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
let waiting: Message[] = [];
let last: Promise<unknown> = producer.connect();

/** What comes while a batch is under way is in the next one. */
function produce(messages: readonly Message[]): Promise<unknown> {
  waiting.push(...messages);
  return (last = last.then(async () => {
    const batch = waiting;
    waiting = [];
    if (batch.length > 0)
      await producer.sendBatch({
        acks: -1,
        topicMessages: [{ topic, messages: batch }],
      });
  }));
}

const app = fastify({ bodyLimit: 8 << 20 });
app.post<{ Body: Event & { readonly events?: readonly Event[] } }>(
  "/v1/events",
  async ({ body }, reply) => {
    const events = body.events ?? [body];
    await produce(
      events.map((event) => ({
        key: `${event.tenantId}:${event.id}`,
        value: JSON.stringify(event),
      })),
    );
    reply.code(202);
    return { events: events.map(({ id, tenantId }) => ({ id, tenantId })) };
  },
);
await last;
await app.listen({ host: "127.0.0.1", port: 0 });
const { port } = app.server.address() as AddressInfo; // it listens on TCP
process.send?.({ kind: "ready", port });

/** What a publisher gives: over the door and over the topic, in events that are taken and that are refused. */
import type { Destination } from "@postrider/core";
import {
  createAvroCodec,
  readSchemaFiles,
  type ProducerRecord,
} from "@postrider/messaging";
import { anEvent } from "@postrider/testkit";
import { P } from "./plants.ts";
import type { Plant } from "./search.ts";
import { PREFIX, type Env, type World } from "./world.ts";

let published = 0;
/** An event of the tenant `acme`, with an id of its own. */
export const anEventWith = (fields: object) => ({
  id: `evt_${(published += 1)}`,
  type: "order.paid",
  tenantId: "acme",
  payload: {},
  ...fields,
});

export const bearer = ({ text }: Plant): Env => ({
  authorization: `Bearer ${text}`,
});

/** Every secret that a publisher gives, over the door and over the topic, in events that are taken and that are refused. */
export async function plantInEvents(world: World): Promise<void> {
  const publish = "POST /v1/events";
  await world.ask("ingest", publish, {
    body: anEventWith({
      destination: {
        url: world.to("/fails"),
        secret: P.inlineDoor.text,
        maxAttempts: 2,
      },
      headers: bearer(P.eventHeader),
    }),
  });
  await world.ask("ingest", publish, {
    body: anEventWith({
      destination: {
        url: `https://user:${P.urlPassword.text}@example.com/`,
        secret: P.refusedDoor.text,
      },
    }),
  });
  const destination = (
    secret: string,
    url = world.to("/inline"),
  ): Destination => ({
    url,
    secret,
    sealedSecret: null,
    maxAttempts: 1,
    timeoutSeconds: 5,
    retryDelaysMs: null,
    maxAgeMs: null,
    notRetryableStatuses: [],
  });
  const codec = createAvroCodec({
    schemas: readSchemaFiles(),
    writers: {
      byFingerprint: () => ({ kind: "unknown" }),
      byId: () => ({ kind: "unknown" }),
    },
  });
  const avro = (id: string, type: string, secret: string): Buffer => {
    const value = anEvent({ id, type, destination: destination(secret) });
    return codec.encode({ topic: "events", key: null, value });
  };
  const json = (secret: string, url: string): Buffer =>
    Buffer.from(JSON.stringify(anEventWith({ destination: { url, secret } })));
  const records = [
    json(P.inlineJson.text, world.to("/inline")),
    avro("evt_avro", "order.paid", P.inlineAvro.text),
    json(
      P.refusedJson.text,
      `https://user:${P.topicUrlPassword.text}@example.com/`,
    ),
    avro("evt_refused", "not a type", P.refusedAvro.text),
    Buffer.from(`{"id":"evt_unreadable","secret":"${P.unreadable.text}"`),
  ].map((value): ProducerRecord => ({
    topic: `${PREFIX}events`,
    partition: 0,
    key: null,
    value,
  }));
  const producer = await world.kafka().createProducer();
  await producer.sendBatch(records);
  await producer.disconnect();
}

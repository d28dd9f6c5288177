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
import { PREFIX, SOURCE, type Env, type World } from "./world.ts";

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
  records.push(...cloudEvents(), ...recordsOfSource());
  const producer = await world.kafka().createProducer();
  await producer.sendBatch(records);
  await producer.disconnect();
}

/** One that is taken, and one that is refused for its type. */
function cloudEvents(): ProducerRecord[] {
  const of = { topic: `${PREFIX}events`, partition: 0, key: null };
  return [
    {
      ...of,
      value: Buffer.from('{"form":"cloud-event"}'),
      headers: asBytes({
        ce_specversion: "1.0",
        ce_id: "1",
        ce_source: "/tests",
        ce_type: "order.paid",
        ce_tenantid: "acme",
        "content-type": "application/json",
        ...bearer(P.recordHeader),
      }),
    },
    {
      ...of,
      value: Buffer.from(
        JSON.stringify({
          specversion: "1.0",
          id: "2",
          source: "/tests",
          type: "not a type",
          tenantid: "acme",
          token: P.refusedCloudEvent.text,
          data: {},
        }),
      ),
      headers: asBytes({
        "content-type": "application/cloudevents+json",
        ...bearer(P.refusedRecordHeader),
      }),
    },
  ];
}

/** Of a topic of somebody else's: one that is taken, one without its id, and one that is no JSON. */
function recordsOfSource(): ProducerRecord[] {
  return [
    '{"event":"order.paid","order":{"id":1,"form":"source"}}',
    `{"event":"order.paid","token":"${P.refusedSource.text}","order":{}}`,
    `{"event":"order.paid","token":"${P.unreadableSource.text}"`,
  ].map((value) => ({
    topic: SOURCE,
    partition: 0,
    key: null,
    value: Buffer.from(value),
    headers: asBytes(bearer(P.sourceHeader)),
  }));
}

function asBytes(headers: Env): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]),
  );
}

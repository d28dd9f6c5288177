/** The messages of the AsyncAPI document: a record in Avro for each schema, and the other forms of an event. */
import { readSchemaFiles } from "../packages/messaging/src/index.ts";
import { messageNamesOf, textOf, TOPICS } from "./asyncapi-topics.ts";

type Json = { readonly [name: string]: unknown };

/** Every message, by its name. */
export function messages(): Json {
  const keyOf = new Map<string, string>();
  for (const topic of Object.keys(TOPICS))
    for (const name of messageNamesOf(topic))
      keyOf.set(name, textOf(topic).key);
  const withKey = (name: string, message: Json): Json => ({
    name,
    ...message,
    bindings: {
      kafka: {
        key: { type: "string", description: keyOf.get(name) },
        bindingVersion: "0.5.0",
      },
    },
  });
  const inAvro = [...readSchemaFiles()].map(([name, text]) => {
    const schema = JSON.parse(text) as Json;
    const message = {
      summary: schema["doc"],
      contentType: "avro/binary",
      payload: {
        schemaFormat: "application/vnd.apache.avro+json;version=1.9.0",
        schema,
      },
    };
    return [name, withKey(name, message)] as const;
  });
  const others = Object.entries(OTHER_MESSAGES).map(
    ([name, message]) => [name, withKey(name, message)] as const,
  );
  return Object.fromEntries([...inAvro, ...others]);
}

const ATTRIBUTES = {
  id: { type: "string", minLength: 1 },
  source: { type: "string", minLength: 1 },
  type: { type: "string", description: "Dotted words." },
  tenantid: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
  time: { type: "string", format: "date-time" },
  subject: { type: "string" },
} as const;
const SPECVERSION = { type: "string", const: "1.0" } as const;

const OTHER_MESSAGES: Readonly<Record<string, Json>> = {
  EventEnvelope: {
    summary: "An event as JSON, with the fields of `POST /v1/events`.",
    contentType: "application/json",
    payload: {
      allOf: [
        { $ref: "#/components/schemas/EventToPublish" },
        { type: "object", required: ["tenantId"] },
      ],
    },
    examples: [
      {
        name: "order",
        payload: {
          id: "order-1",
          type: "order.paid",
          tenantId: "acme",
          payload: { orderId: 1, total: 12.5 },
        },
      },
    ],
  },
  CloudEventBinary: {
    summary:
      "A CloudEvent 1.0 in binary mode: its data is the value, whatever it is.",
    contentType: "application/octet-stream",
    headers: {
      type: "object",
      required: [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_tenantid",
      ],
      properties: {
        ce_specversion: SPECVERSION,
        ...Object.fromEntries(
          Object.entries(ATTRIBUTES).map(([name, of]) => [`ce_${name}`, of]),
        ),
        "content-type": {
          type: "string",
          description:
            "The payload's content type; application/json without it.",
        },
      },
    },
  },
  CloudEventStructured: {
    summary: "A CloudEvent 1.0 in structured mode, as JSON.",
    contentType: "application/cloudevents+json",
    headers: {
      type: "object",
      required: ["content-type"],
      properties: {
        "content-type": {
          type: "string",
          const: "application/cloudevents+json",
        },
      },
    },
    payload: {
      type: "object",
      required: ["specversion", "id", "source", "type", "tenantid"],
      properties: {
        specversion: SPECVERSION,
        ...ATTRIBUTES,
        datacontenttype: { type: "string" },
        data: { description: "The payload." },
        data_base64: { type: "string", description: "The payload, as base64." },
      },
    },
  },
  Schema: {
    summary: "An Avro schema.",
    contentType: "application/json",
    payload: { description: "The schema in Avro's JSON." },
  },
};

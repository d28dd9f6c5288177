/** The AsyncAPI 3.0 document of Postrider's topics, made of what the code itself goes by: the plan of topics, the schemas and the rights of the services. */
import { parseTiers, DEFAULT_TIERS } from "../packages/core/src/index.ts";
import {
  HOLDERS_OF,
  rightsOf,
  topicPlan,
  type RightsHolder,
} from "../packages/messaging/src/index.ts";
import { messages } from "./asyncapi-messages.ts";
import { messageNamesOf, SIDES, textOf } from "./asyncapi-topics.ts";
import { describedApis } from "./openapi-of.ts";

type Json = { readonly [name: string]: unknown };

/** In the address of each channel, in place of `POSTRIDER_TOPIC_PREFIX`. */
const PREFIX = "{prefix}";
const DEFAULT_PREFIX = "postrider.";

export function asyncApiDocument(): Json {
  const tiers = parseTiers(DEFAULT_TIERS);
  const plan = topicPlan({ prefix: "", tiers });
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Postrider: the topics",
      version: "1",
      description:
        "Values in Avro begin with the framing of a schema registry (a zero byte and the schema's id in four bytes) where `SCHEMA_REGISTRY_URL` is set, else with Avro's single-object encoding (`C3 01`, and the schema's CRC-64-AVRO fingerprint in eight bytes, little endian). Schemas change only so that older and newer readers can read them (FULL_TRANSITIVE). The topics of configured sources are not here: they are yours. Operations are named by the service that needs the right for it.",
      license: {
        name: "Apache-2.0",
        url: "https://www.apache.org/licenses/LICENSE-2.0",
      },
    },
    defaultContentType: "avro/binary",
    servers: {
      kafka: {
        host: "{brokers}",
        protocol: "kafka",
        variables: {
          brokers: {
            default: "127.0.0.1:9092",
            description: "`KAFKA_BROKERS`",
          },
        },
      },
    },
    channels: Object.fromEntries(
      plan.map(({ topic, partitions, config }) => [
        topic,
        channelOf(topic, { partitions, config }),
      ]),
    ),
    operations: operations(plan.map(({ topic }) => topic)),
    components: {
      messages: messages(),
      schemas: {
        EventToPublish:
          describedApis().door.document().components.schemas["EventToPublish"],
      },
    },
  };
}

function channelOf(
  topic: string,
  given: {
    readonly partitions: number;
    readonly config: Readonly<Record<string, string>>;
  },
): Json {
  const { side, holds } = textOf(topic);
  return {
    address: `${PREFIX}${topic}`,
    description: `${holds} ${SIDES[side]}`,
    tags: [{ name: side }],
    parameters: {
      prefix: {
        default: DEFAULT_PREFIX,
        description: "`POSTRIDER_TOPIC_PREFIX`",
      },
    },
    messages: Object.fromEntries(
      messageNamesOf(topic).map((name) => [
        name,
        { $ref: `#/components/messages/${name}` },
      ]),
    ),
    bindings: {
      kafka: {
        topic: `${DEFAULT_PREFIX}${topic}`,
        partitions: given.partitions,
        topicConfiguration: topicConfiguration(given.config),
        bindingVersion: "0.5.0",
      },
    },
  };
}

/** Numbers as numbers, and policies as the list that the binding wants. */
function topicConfiguration(config: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (name === "cleanup.policy") return [name, [value]];
      return [name, /^\d+$/.test(value) ? Number(value) : value];
    }),
  );
}

/** `route-receives-events`: what each service may do with each topic. */
function operations(topics: readonly string[]): Json {
  const tiers = parseTiers(DEFAULT_TIERS);
  const made: Record<string, unknown> = {};
  for (const [service, holders] of Object.entries(HOLDERS_OF))
    for (const holder of holders as readonly RightsHolder[])
      for (const right of rightsOf(holder, { prefix: "", tiers })) {
        if (right.resource !== "topic" || !topics.includes(right.name))
          continue;
        for (const [operation, action, verb] of ACTIONS)
          if (right.operations.includes(operation))
            made[`${holder}-${verb}-${right.name}`] = {
              action,
              channel: { $ref: `#/channels/${right.name}` },
              tags: [{ name: service }],
            };
      }
  return made;
}

const ACTIONS = [
  ["Read", "receive", "receives"],
  ["Write", "send", "sends"],
] as const;

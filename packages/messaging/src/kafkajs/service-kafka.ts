/** What every service makes first: its connection to Kafka, and the check that it has its rights there. */
import type { Effects, KafkaConfig } from "@postrider/runtime";
import { createKafka, type Kafka } from "./kafka.ts";
import { createRightsCheck, type RightsCheck } from "../rights-check.ts";
import { rightsOf, type RightsHolder } from "../rights.ts";

export interface ServiceKafkaOptions {
  readonly config: KafkaConfig & { readonly topicPrefix: string };
  /** The service's name; its client is called `postrider-` and this. */
  readonly service: string;
  /** Usually the service itself; ingest has those of its roles. */
  readonly holders: readonly RightsHolder[];
  /** Of a service that reads or writes tiers. */
  readonly tiers?: readonly { readonly topic: string }[];
  /** A test's own connection. */
  readonly kafka?: Kafka | undefined;
}

/** Connects to nothing yet. */
export function createServiceKafka(
  options: ServiceKafkaOptions,
  effects: Effects,
): { readonly kafka: Kafka; readonly rights: RightsCheck } {
  const { config, service, holders, tiers = [] } = options;
  const { kafkaBrokers: brokers, topicPrefix: prefix } = config;
  const clientId = `postrider-${service}`;
  const kafka =
    options.kafka ??
    createKafka(
      {
        brokers,
        clientId,
        security: config,
        onUnauthorized: () => rights.doubt(),
      },
      effects,
    );
  const rights = createRightsCheck({
    kafka,
    rights: holders.flatMap((holder) => rightsOf(holder, { prefix, tiers })),
    security: config,
    log: effects.log,
  });
  return { kafka, rights };
}

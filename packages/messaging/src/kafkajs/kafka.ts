/** Makes everything that a service needs of Kafka: the one place that ties the ports to kafkajs. */
import type { Kafka as KafkajsClient } from "kafkajs";
import {
  certificateEnds,
  tlsOf,
  type Clock,
  type Log,
  type Meter,
} from "@postrider/runtime";
import { createAdmin } from "./admin.ts";
import { createKafkajsClient, PROBE_RETRY } from "./client.ts";
import { createKafkajsConsumer } from "./consumer.ts";
import { createFencedProducer } from "./fenced-producer.ts";
import { withCluster } from "./patches/cluster.ts";
import { createProducerFactory } from "./producer.ts";
import { onTlsConnection } from "./socket-factory.ts";
import type {
  Admin,
  Consumer,
  ConsumerOptions,
  FencedProducer,
  KafkaConnection,
  ProducerFactory,
} from "../ports.ts";

export interface KafkaEffects {
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: Meter;
}

export interface Kafka {
  /** Makes a member of a group. It joins on `start`. */
  consumer(options: ConsumerOptions): Consumer;
  readonly createProducer: ProducerFactory;
  /** Tries for ever while no broker answers. */
  admin(): Admin;
  /** The same for somebody who waits for the answer: gives up soon. */
  impatientAdmin(): Admin;
  /** Takes over the transactional id from its earlier owner. */
  fencedProducer(transactionalId: string): Promise<FencedProducer>;
}

/** Makes the adapters; connects to nothing yet. Throws if the installed kafkajs is not the version that the adapters were written for. */
export function createKafka(
  connection: KafkaConnection,
  effects: KafkaEffects,
): Kafka {
  const { log, clock, meter } = effects;
  const client = createKafkajsClient(connection, log);
  measureCertificates(connection, { log, meter });
  const createProbe = (): KafkajsClient =>
    createKafkajsClient(connection, log, PROBE_RETRY);
  return {
    consumer: (options) =>
      createKafkajsConsumer(options, {
        createClient: () => createKafkajsClient(connection, log),
        createProbe,
        log,
        clock,
        meter,
      }),
    createProducer: createProducerFactory(client),
    admin: () => adminOf(client),
    impatientAdmin: () => adminOf(createProbe()),
    fencedProducer: (transactionalId) =>
      createFencedProducer(client, transactionalId),
  };
}

function adminOf(client: KafkajsClient): Admin {
  const { made, cluster } = withCluster(client, () => client.admin());
  return createAdmin(made, cluster);
}

function measureCertificates(
  { brokers, security }: KafkaConnection,
  { log, meter }: Pick<KafkaEffects, "log" | "meter">,
): void {
  const ends = certificateEnds(meter);
  if (!security?.kafkaTls) return;
  ends.given("kafka", () => tlsOf(security));
  onTlsConnection(brokers, log, (socket) => ends.connecting("kafka", socket));
}

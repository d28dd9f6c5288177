/** What every service makes first: its connection to Kafka, and the checks that it has its rights and its topics there. */
import type { Effects, KafkaConfig, Lifecycle } from "@postrider/runtime";
import { createKafka, type Kafka } from "./kafka.ts";
import { createAskedAdmin, type AskedAdmin } from "../asked-admin.ts";
import { createRightsCheck, type RightsCheck } from "../rights-check.ts";
import {
  mergedRights,
  rightsOf,
  rightsOfSources,
  type RightsHolder,
} from "../rights.ts";
import { createSettingsCheck } from "../settings-check.ts";
import { createTopicsCheck, type TopicsCheck } from "../topics-check.ts";
import { topicPlan } from "../topics.ts";

export interface ServiceKafkaOptions {
  readonly config: KafkaConfig & { readonly topicPrefix: string };
  /** The service's name; its client is called `postrider-` and this. */
  readonly service: string;
  /** Usually the service itself; ingest has those of its roles. */
  readonly holders: readonly RightsHolder[];
  /** Of a service that reads or writes tiers. */
  readonly tiers?: readonly { readonly topic: string }[];
  /** The topics of configured sources, for the route stage: full names. */
  readonly sources?: readonly string[];
  /** A test's own connection. */
  readonly kafka?: Kafka | undefined;
}

/** Connects to nothing yet. */
export function createServiceKafka(
  options: ServiceKafkaOptions,
  effects: Effects,
): {
  readonly kafka: Kafka;
  /** For the checks of a service. Closed by the stop of `rights`, which is a service's first part and so the last that stops. */
  readonly admin: Pick<AskedAdmin, "ask">;
  readonly rights: RightsCheck;
  readonly topics: TopicsCheck;
  /** Warns of settings of its topics and of the brokers. */
  readonly settings: Lifecycle;
  /** Apart, because a topic that is not ours to grant must not keep the service waiting. */
  readonly sourceRights: RightsCheck;
} {
  const { config, service, holders, tiers = [], sources = [] } = options;
  const { kafkaBrokers: brokers, topicPrefix: prefix } = config;
  const clientId = `postrider-${service}`;
  const kafka =
    options.kafka ??
    createKafka(
      {
        brokers,
        clientId,
        security: config,
        onUnauthorized() {
          rights.doubt();
          if (sources.length > 0) sourceRights.doubt();
        },
      },
      effects,
    );
  const needed = mergedRights(
    holders.flatMap((holder) => rightsOf(holder, { prefix, tiers })),
  );
  const admin = createAskedAdmin(() => kafka.admin());
  const checked = { admin, security: config, log: effects.log };
  const rights = createRightsCheck({ ...checked, rights: needed });
  // What a service has a right to is what it reads and writes.
  const used = new Set(
    needed
      .filter(({ resource }) => resource === "topic")
      .map(({ name }) => name),
  );
  const topics = createTopicsCheck({
    admin,
    topics: [...used],
    withoutThem: "work stands still",
    log: effects.log,
  });
  const settings = createSettingsCheck({
    admin,
    plan: topicPlan({ prefix, tiers }).filter(({ topic }) => used.has(topic)),
    log: effects.log,
  });
  const sourceRights = createRightsCheck({
    ...checked,
    rights: rightsOfSources(prefix, sources),
    name: "source-rights",
  });
  return {
    kafka,
    admin,
    rights: {
      ...rights,
      async stop(deadline) {
        await rights.stop(deadline);
        await admin.stop(deadline);
      },
    },
    topics,
    settings,
    sourceRights,
  };
}

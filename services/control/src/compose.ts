import { randomBytes } from "node:crypto";
import type { ControlEntry, Endpoint } from "@postrider/core";
import {
  followKeys,
  type ApiRoute,
  type OpenApiDocument,
} from "@postrider/http";
import {
  createDeadLetterOf,
  createOutput,
  createSchemas,
  createServiceKafka,
  createStageRunner,
  createTable,
  groupIdOf,
  partitionOf,
  topicName,
  type ProducerRecord,
} from "@postrider/messaging";
import {
  clickhouseAccess,
  clickhouseTenantAccess,
  CONSOLE_FOLDER,
  createLiveKeyRing,
  type Composition,
  type Effects,
} from "@postrider/runtime";
import { createAuditTrail } from "./audit/audit-trail.ts";
import type { ControlConfig } from "./config.ts";
import { controlHealth } from "./control-health.ts";
import { createEndpointInput } from "./endpoints/endpoint-input.ts";
import { endpointRoutes } from "./endpoints/endpoint-routes.ts";
import { createEndpointWriter } from "./endpoints/endpoint-writer.ts";
import {
  eventTypeRoutes,
  policyRoutes,
} from "./event-types/event-type-routes.ts";
import { createPolicyStore } from "./event-types/policy-store.ts";
import { createTypeStore } from "./event-types/type-store.ts";
import { eventRoutes } from "./reads/event-routes.ts";
import { explainRoutes } from "./reads/explain/explain-routes.ts";
import { createGoneStage } from "./endpoints/gone.stage.ts";
import { createOwnership } from "./writer/ownership.ts";
import { deliveryRoutes } from "./reads/delivery-routes.ts";
import { listRoutes } from "./reads/lists/list-routes.ts";
import { matchRoutes } from "./reads/match/match-routes.ts";
import { queryRoutes } from "./reads/query-routes.ts";
import { savedQueryRoutes } from "./reads/saved-query-routes.ts";
import { seriesRoutes } from "./reads/series-routes.ts";
import { createReader } from "./reads/reader.ts";
import { callerRoutes } from "./keys/caller-routes.ts";
import { consoleRoutes } from "./console/console-routes.ts";
import { keyRoutes } from "./keys/key-routes.ts";
import { createKeyStore } from "./keys/key-store.ts";
import { createHeaderSeal } from "./endpoints/header-seal.ts";
import { createPublicKeys } from "./endpoints/public-keys.ts";
import { resumeRoutes } from "./resumes/resume-routes.ts";
import { composeOperations } from "./operations.ts";
import { composeReplays } from "./replays.ts";
import { composeResumes } from "./resumes.ts";
import { createSecretMaker } from "./endpoints/secret-maker.ts";
import { createSecretKeys } from "./secrets/reencryption.ts";
import { secretRoutes } from "./secrets/secret-routes.ts";
import { createSecretRotation } from "./endpoints/secret-rotation.ts";
import { createTestSender } from "./endpoints/test-sender.ts";
import { createServer } from "./http/server.ts";
import { createSignalsFollower } from "./endpoints/signals-follower.ts";
import { createTenureWriter } from "./writer/tenure-writer.ts";
import { createWrittenTopics } from "./writer/written-topics.ts";
import { statusRoutes } from "./status-routes.ts";
import { composeSystem } from "./system.ts";

/** The wired control service. */
export interface Control extends Composition {
  /** The address that the API listens on; call it after `start`. */
  url(): string;
  /** Every route of the API, and who may call it. */
  readonly routes: readonly ApiRoute[];
  /** What `GET /openapi.json` answers. */
  document(): OpenApiDocument;
}

/**
 * Wires the parts in starting order: the codec, our table, the output (for the dead letters of refused signals), ClickHouse's
 * reader, and only then what writes and answers. The signals follower is created before ownership starts, because it must
 * see the first tenure. It is listed after ownership, so it stops first, while the disable that it may have under way can
 * still be written.
 */
export function compose(config: ControlConfig, effects: Effects): Control {
  const { log, clock } = effects;
  const { topicPrefix: prefix, sessionTimeoutMs, unknownSchemaWaitMs } = config;
  const topic = topicName(prefix, "endpoints");
  const controlTopic = topicName(prefix, "control");
  const auditTopic = topicName(prefix, "audit");
  const signalsTopic = topicName(prefix, "signals");
  const isTold = config.operationsTenant !== null;
  const { kafka, admin, rights, settings } = createServiceKafka(
    {
      config,
      service: "control",
      holders: isTold ? ["control", "operations"] : ["control"],
    },
    effects,
  );
  const schemas = createSchemas({
    ...effects,
    kafka,
    prefix,
    sessionTimeoutMs,
    registry: config,
    registeredTopics: [
      "endpoints",
      "control",
      "audit",
      "dead-letters",
      "deliveries",
      "signals",
      ...(isTold ? (["events"] as const) : []),
    ],
  });
  const table = createTable<Endpoint>({
    ...effects,
    kafka,
    topic,
    decode: schemas.decoderOf("endpoints"),
    sessionTimeoutMs,
    unknownSchemaWaitMs,
  });
  const entries = createTable<ControlEntry>({
    ...effects,
    kafka,
    topic: controlTopic,
    decode: schemas.decoderOf("control"),
    sessionTimeoutMs,
    unknownSchemaWaitMs,
  });
  const deadLetterOf = createDeadLetterOf({ stage: "control", clock });
  const output = createOutput({
    ...effects,
    kafka,
    encode: schemas.encodeInPieces,
    prefix,
    deadLetterOf,
  });
  const reader = createReader({
    log,
    ...clickhouseAccess(config, log, effects.meter),
    database: config.clickhouseDatabase,
    queryTimeoutMs: config.queryTimeoutMs,
    tenants: clickhouseTenantAccess(config, log),
  });

  const written = createWrittenTopics({
    admin,
    topics: [topic, controlTopic, auditTopic, signalsTopic],
    log,
  });
  const auditTrail = createAuditTrail({
    clock,
    encode: schemas.encode,
    topic: auditTopic,
    partitions: () => written.partitionsOf(auditTopic),
  });
  const ownership = createOwnership({
    ...effects,
    consumer: kafka.consumer({
      groupId: `${prefix}control`,
      topics: [controlTopic],
      sessionTimeoutMs,
    }),
    async fencedProducer() {
      // Before another replica is fenced: without its topics this one could not write either.
      await written.count();
      return await kafka.fencedProducer(`${prefix}control`);
    },
    async catchUp() {
      await Promise.all([table.readToEnd(), entries.readToEnd()]);
      // A write would be made of an endpoint's old version, or refuse one that the table lacks.
      const lack = table.behind() ?? entries.behind();
      if (lack !== null) throw new Error(lack);
    },
  });
  const keyRing = createLiveKeyRing(config.encryptionKeys, effects);
  const secrets = createSecretMaker(keyRing, clock);
  const publicKeyOf = createPublicKeys(keyRing, log);
  const headerSeal = createHeaderSeal(keyRing);
  const tenureWriter = createTenureWriter({
    ownership,
    async readBack(place) {
      // No table has `audit` or `signals`; they were written if what they were written with was.
      if (place.topic === auditTopic || place.topic === signalsTopic) return;
      await (place.topic === topic ? table : entries).readTo(place);
    },
  });
  const operations = composeOperations({
    config,
    clock,
    log,
    ownership,
    endpoints: table,
    encode: schemas.encode,
    send: (record) => output.send([record]),
    select: reader.select,
    signals: {
      topic: signalsTopic,
      partitions: () => written.partitionsOf(signalsTopic),
    },
  });
  const resumes = composeResumes({
    ...effects,
    config,
    kafka,
    schemas,
    output,
    ownership,
    tenureWriter,
    auditTrail,
    entries,
    endpoints: table,
  });
  const { store } = resumes;
  const inControl = {
    tenureWriter,
    table: entries,
    encode: schemas.encode,
    topic: controlTopic,
    audit: auditTrail,
    clock,
    log,
  };
  const keyStore = createKeyStore(inControl);
  const replays = composeReplays({
    ...effects,
    config,
    kafka,
    schemas,
    output,
    ownership,
    tenureWriter,
    auditTrail,
    reader,
    entries,
    endpoints: table,
    finished: operations.replayFinished,
    alsoWrittenAtEnd: operations.alsoWrittenAtEnd,
  });
  const writer = createEndpointWriter({
    tenureWriter,
    table,
    alsoWritten: async (before, after) => [
      ...(await store.alsoWritten(before, after)),
      ...operations.alsoWritten(before, after),
    ],
    recordOf(id, endpoint): ProducerRecord {
      const key = Buffer.from(id);
      const value =
        endpoint === null
          ? null
          : schemas.encode({ topic: "endpoints", key: id, value: endpoint });
      return {
        topic,
        partition: partitionOf(key, written.partitionsOf(topic)),
        key,
        value,
      };
    },
    auditTrail,
    secrets,
    headerSeal,
    newId: () => `ep_${randomBytes(18).toString("base64url")}`,
    clock,
    log,
  });
  const follower = createSignalsFollower({
    ownership,
    clock,
    log,
    createRunner: () =>
      createStageRunner({
        ...effects,
        name: "gone",
        stage: operations.stageOf(createGoneStage({ writer, log })),
        decode: schemas.decoderOf("signals"),
        kafka,
        groupId: groupIdOf(prefix, "control-signals"),
        topics: [signalsTopic],
        output,
        deadLetterOf,
        limits: {
          sessionTimeoutMs,
          unknownSchemaWaitMs,
          ...operations.limits,
        },
      }),
  });
  const system = composeSystem({ config, kafka, clock });
  const server = createServer({
    ...effects,
    host: config.host,
    port: config.port,
    adminKey: config.adminKey,
    keys: followKeys(entries),
    routes: [
      consoleRoutes(CONSOLE_FOLDER),
      callerRoutes,
      keyRoutes(keyStore, clock),
      eventTypeRoutes(createTypeStore(inControl)),
      policyRoutes(createPolicyStore(inControl)),
      endpointRoutes({
        table,
        writer,
        rotate: createSecretRotation({ writer, secrets, publicKeyOf }),
        testSender: createTestSender({
          tenureWriter,
          table,
          auditTrail,
          send: (record) => output.send([record]),
          newEventId: () => `test_${randomBytes(18).toString("base64url")}`,
          clock,
          log,
        }),
        publicKeyOf,
        headerSeal,
        input: createEndpointInput({
          allowHttp: config.allowHttp,
          allowedCidrs: config.allowCidrs ?? [],
          deniedCidrs: config.denyCidrs ?? [],
        }),
      }),
      secretRoutes(createSecretKeys({ keyRing, table, writer, clock, log })),
      resumeRoutes({ table, writer, store, publicKeyOf, headerSeal }),
      replays.routes,
      eventRoutes(reader),
      explainRoutes({
        reader,
        clock,
        endpoints: table,
        eventsTopic: topicName(prefix, "events"),
      }),
      queryRoutes(reader, clock),
      savedQueryRoutes({ reader, clock, endpoints: table }),
      listRoutes({ reader, clock, endpoints: table }),
      deliveryRoutes(reader),
      matchRoutes({ reader, clock, table }),
      seriesRoutes({ reader, clock, endpoints: table }),
      statusRoutes({ ownership, reader, endpoints: () => table.size }),
      system.routes,
    ],
  });
  return {
    parts: [
      rights,
      settings,
      schemas,
      table,
      entries,
      output,
      reader,
      resumes.parkingLog,
      written,
      ownership,
      follower,
      resumes.runner,
      replays.runner,
      ...operations.parts,
      system.part,
      server,
    ],
    health: controlHealth({
      parts: [rights, table, entries],
      schemas,
      topics: written,
      ownership,
      reader,
      runner: follower.runner,
    }),
    url: server.url,
    routes: server.routes,
    document: server.document,
  };
}

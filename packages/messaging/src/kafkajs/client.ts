/** Makes kafkajs clients with our retries and sockets, and passes on some of their log lines. */
import { createRequire } from "node:module";
import type { Kafka as KafkajsClient, RetryOptions, logCreator } from "kafkajs";
import type { Log } from "@postrider/runtime";
import { patchKafkajs } from "./patches/patch-kafkajs.ts";
import type { KafkaConnection } from "../ports.ts";
import { securityOf } from "./security.ts";
import { createSeldom, type Seldom } from "./repeated-lines.ts";
import { socketFactoryFor } from "./socket-factory.ts";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that the patches change.
const load = createRequire(import.meta.url);

/** Retries without an end: after an hour without a broker everything must still go on (docs/kafkajs.md, "Retries never run out"). */
export const KAFKAJS_RETRY: RetryOptions = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  multiplier: 2,
  factor: 0.2,
  retries: Number.MAX_SAFE_INTEGER,
};

/** For a client that only asks whether the cluster answers: it must give up soon. Two retries are enough for a list with dead brokers in it. */
export const PROBE_RETRY: RetryOptions = { ...KAFKAJS_RETRY, retries: 2 };

/** Makes a new client. A consumer needs its own: kafkajs shares a cache of committed offsets between the consumers of one client. */
export function createKafkajsClient(
  connection: KafkaConnection,
  log: Log,
  retry: RetryOptions = KAFKAJS_RETRY,
): KafkajsClient {
  patchKafkajs();
  const { Kafka, logLevel } = load("kafkajs") as typeof import("kafkajs");
  return new Kafka({
    brokers: [...connection.brokers],
    clientId: connection.clientId,
    ...(connection.security && securityOf(connection.security, log)),
    // ms. With 5 s and 1 s a frozen or lost broker is noticed soon; the retries then go on for ever
    // (docs/kafkajs.md, "Retries never run out").
    requestTimeout: 5000,
    connectionTimeout: 1000,
    retry,
    socketFactory: socketFactoryFor(connection.brokers, log),
    logLevel: logLevel.WARN,
    logCreator: logTo(log, logLevel.ERROR, connection.onUnauthorized),
  });
}

/** Passes on kafkajs' log lines. Most are about its retries, which are details of a connection: errors become a seldom warning, the rest is debug. Real events have log lines of their own. */
function logTo(
  log: Log,
  errorLevel: number,
  onUnauthorized: (() => void) | undefined,
): logCreator {
  return () => (entry) => {
    const { message, error, groupId, broker } = entry.log;
    const fields = {
      detail: message,
      part: entry.namespace,
      error: errorText(error),
      groupId,
      broker,
    };
    // kafkajs logs every answer with an error, also those that it retries and tells nobody.
    if (/authorization failed/i.test(fields.error ?? "")) onUnauthorized?.();
    const text = `${entry.namespace} ${broker ?? ""} ${message}`;
    const repeats =
      entry.level <= errorLevel
        ? seldomOf(log).repeats(text, performance.now())
        : null;
    if (repeats === null) log.debug("kafka.clientTroubled", fields);
    else
      log.warn("kafka.clientTroubled", {
        ...fields,
        ...(repeats > 0 && { repeats }),
      });
  };
}

/** Shared by all clients of a process, because each of them tries the same broker several times a second. */
const seldoms = new WeakMap<Log, Seldom>();

function seldomOf(log: Log): Seldom {
  const known = seldoms.get(log) ?? createSeldom();
  seldoms.set(log, known);
  return known;
}

function errorText(error: unknown): string | undefined {
  if (error === undefined || typeof error === "string") return error;
  return error instanceof Error ? error.message : JSON.stringify(error);
}

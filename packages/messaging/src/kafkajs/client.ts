/** Our kafkajs clients: their retries, their sockets, and what of their log is passed on. */
import { createRequire } from "node:module";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type {
  ISocketFactory,
  Kafka as KafkajsClient,
  RetryOptions,
  logCreator,
} from "kafkajs";
import type { Log } from "@postrider/runtime";
import { patchKafkajs } from "./patches/patch-kafkajs.ts";
import type { KafkaConnection } from "../ports.ts";
import { createSeldom, type Seldom } from "./repeated-lines.ts";

// kafkajs is CommonJS; its inner modules must come from the same registry as its entry.
const load = createRequire(import.meta.url);

/** No count bounds the retries: a broker that is away for an hour is waited for (docs/kafkajs.md, "Retries never run out"). */
export const KAFKAJS_RETRY: RetryOptions = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  multiplier: 2,
  factor: 0.2,
  retries: Number.MAX_SAFE_INTEGER,
};

/** For a client that only asks whether the cluster is there: it must get to say no. Enough for a list with dead brokers in it. */
export const PROBE_RETRY: RetryOptions = { ...KAFKAJS_RETRY, retries: 2 };

/** A client with its own caches: kafkajs shares committed offsets between the consumers of one client. */
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
    // With 5 s and 1 s a frozen or lost broker is noticed soon; the retries then go on for ever
    // (docs/kafkajs.md, "Retries never run out").
    requestTimeout: 5000,
    connectionTimeout: 1000,
    retry,
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: logTo(log, logLevel.ERROR),
  });
}

/** kafkajs sets keep-alive only, and a small commit would wait for Nagle's algorithm (docs/kafkajs.md, "Timers and sockets"). */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // Typed loosely by kafkajs; it is what `tls.connect` takes.
  const tls = ssl as object | undefined;
  const socket = tls
    ? connectTls(
        { host, port, ...(isIP(host) ? {} : { servername: host }), ...tls },
        onConnect,
      )
    : connectPlain({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
};

/** kafkajs speaks of its own retries; to us they are details of a connection, and the facts have their own lines. */
function logTo(log: Log, errorLevel: number): logCreator {
  return () => (entry) => {
    const { message, error, groupId, broker } = entry.log;
    const fields = {
      detail: message,
      part: entry.namespace,
      error: errorText(error),
      groupId,
      broker,
    };
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

/** One for all clients of a process: each of them tries the same broker several times a second. */
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

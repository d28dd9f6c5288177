/**
 * Our kafkajs clients, and what of kafkajs 2.2.4 is replaced for them.
 *
 * kafkajs has had no maintainer since 2023, so what is wrong in it is put right here, at run time and only in the very
 * version that was read: another version refuses to start.
 */
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
import { registerBinding } from "./patches/group-binding.ts";
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

const PATCHED_VERSION = "2.2.4";
let isPatched = false;

/** Puts right what is wrong in kafkajs. Safe to call twice. Throws if kafkajs is not the version that was read. */
export function patchKafkajs(): void {
  if (isPatched) return;
  const { version } = load("kafkajs/package.json") as { version: string };
  if (version !== PATCHED_VERSION)
    throw new Error(
      `kafkajs ${version} is installed, but the patches were written for ${PATCHED_VERSION}. Install that version, or read and adapt kafkajs/client.ts.`,
    );
  patchRequestQueue();
  registerBinding(
    load("kafkajs/src/consumer/consumerGroup") as Parameters<
      typeof registerBinding
    >[0],
  );
  isPatched = true;
}

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

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
}

/** Without this every connection wakes the process a thousand times a second, for ever (docs/kafkajs.md, "Timers and sockets"). */
function patchRequestQueue(): void {
  const queue = load("kafkajs/src/network/requestQueue") as {
    prototype: RequestQueue;
  };
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0)
      return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), 10),
    );
  };
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

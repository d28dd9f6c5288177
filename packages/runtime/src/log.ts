import { destination as fileDescriptor, pino, stdSerializers } from "pino";
import type { Log, LogFields } from "./effects.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Names of fields whose values are never printed, at the top level or one level down: a guard against passing one by mistake. */
const SECRET_FIELDS = [
  "secret",
  "secrets",
  "adminKey",
  "token",
  "encryptionKeys",
  "authorization",
  "password",
  "signature",
  "ciphertext",
  "payload",
  "body",
];

/**
 * A log that writes JSON lines to stderr; stdout is left for data. A line has `level`, `time` (RFC 3339), `service`,
 * `pid`, `event` and the fields. Lines are written synchronously, so the last lines before a crash are not lost.
 */
export function createLog(options: {
  readonly service: string;
  readonly level?: LogLevel | undefined;
  readonly destination?: { write(line: string): void } | undefined;
}): Log {
  const out = pino(
    {
      level: options.level ?? "info",
      base: { service: options.service, pid: process.pid },
      messageKey: "event",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError, cause: serializeError },
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]),
        censor: "[redacted]",
      },
    },
    options.destination ?? fileDescriptor({ fd: 2, sync: true }),
  );
  return {
    debug: (event, fields) => out.debug(fields ?? NO_FIELDS, event),
    info: (event, fields) => out.info(fields ?? NO_FIELDS, event),
    warn: (event, fields) => out.warn(fields ?? NO_FIELDS, event),
    error: (event, fields) => out.error(fields ?? NO_FIELDS, event),
  };
}

const NO_FIELDS: LogFields = {};

function serializeError(value: unknown): unknown {
  return value instanceof Error ? stdSerializers.err(value) : value;
}

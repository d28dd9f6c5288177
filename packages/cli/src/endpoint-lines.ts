import {
  attemptsOf,
  REGISTERED_SCHEDULE,
  retryPolicyOf,
  type RetrySettings,
} from "@postrider/core";
import { fieldLines, type Shown } from "./field-lines.ts";
import type { Terminal } from "./terminal.ts";

/** An endpoint as control answers it, for people. */
export function endpointLines(endpoint: object, terminal: Terminal): string {
  return fieldLines(endpoint, terminal, SHOWN);
}

/** The same with what holds where the endpoint says nothing about retries, marked as the default. */
export function endpointLinesWithDefaults(
  endpoint: object,
  terminal: Terminal,
): string {
  return fieldLines(endpoint, terminal, {
    ...SHOWN,
    ...defaultsOf(endpoint as Partial<RetrySettings>), // the fields of control's answer, which an older one may not have
  });
}

/** Of the retry settings that are null. */
function defaultsOf(endpoint: Partial<RetrySettings>): Shown {
  const {
    retryDelaysMs = null,
    maxAttempts = null,
    maxAgeMs = null,
  } = endpoint;
  const policy = retryPolicyOf(
    { retryDelaysMs, maxAttempts, maxAgeMs, notRetryableStatuses: [] },
    REGISTERED_SCHEDULE,
  );
  const effective = {
    retryDelaysMs: policy.schedule.join(", ") || "none",
    maxAttempts: attemptsOf(policy.schedule),
    maxAgeMs: policy.maxAgeMs,
  };
  return Object.fromEntries(
    Object.entries(effective)
      .filter(([name]) => endpoint[name as keyof typeof effective] === null)
      .map(([name, value]) => [name, () => `${value} (default)`]),
  );
}

interface SecretView {
  readonly id: string;
  readonly publicKey: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const SHOWN: Shown = {
  eventTypes: inOneLine,
  signing: inOneLine,
  notRetryableStatuses: inOneLine,
  retryDelaysMs: inOneLine,
  secrets: (secrets: readonly SecretView[]) => secrets.map(secretLine),
  headers: (headers: Readonly<Record<string, string>>) =>
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  rateLimit: (limit: { perSecond: number; burst: number } | null) =>
    limit === null ? "none" : `${limit.perSecond}/s, burst ${limit.burst}`,
};

function inOneLine(values: readonly unknown[] | null): string {
  return (values ?? []).join(", ");
}

function secretLine(secret: SecretView): string {
  const { id, publicKey, createdAt, expiresAt } = secret;
  return [
    id,
    `made ${createdAt}`,
    ...(expiresAt === null ? [] : [`ends ${expiresAt}`]),
    ...(publicKey === null ? [] : [publicKey]),
  ].join("  ");
}

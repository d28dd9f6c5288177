import { fieldLines, type Shown } from "./field-lines.ts";
import type { Terminal } from "./terminal.ts";

/** An endpoint as control answers it, for people. */
export function endpointLines(endpoint: object, terminal: Terminal): string {
  return fieldLines(endpoint, terminal, SHOWN);
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

import { isIP } from "node:net";
import type { JsonSchema, Parse } from "./config.ts";

/** Any text that is not blank, trimmed. */
export const text: Parse<string> = parser("a text", (value) => {
  const trimmed = value.trim();
  return trimmed === "" ? undefined : trimmed;
});

/** One of a closed list. */
export function oneOf<const T extends string>(choices: readonly T[]): Parse<T> {
  return parser(
    `one of ${choices.join(", ")}`,
    (value) => choices.find((choice) => choice === value.trim()),
    { enum: choices },
  );
}

/** A whole number in a range, both ends included. */
export function integer(min: number, max: number): Parse<number> {
  return parser(
    `a whole number from ${min} to ${max}`,
    (value) => {
      const number = /^[+-]?\d+$/.test(value.trim()) ? Number(value) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
    { type: "integer", minimum: min, maximum: max },
  );
}

/** A TCP port; 0 lets the system choose. */
export const port: Parse<number> = integer(0, 65_535);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

export const boolean: Parse<boolean> = parser(
  "true or false",
  (value) => BOOLEANS.get(value.trim().toLowerCase()),
  { type: "boolean" },
);

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration with its unit (`250ms`, `30s`, `5m`, `2h`, `7d`), as milliseconds. */
export const duration: Parse<number> = parser(
  "a duration such as 250ms, 30s, 5m, 2h or 7d",
  (value) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
    if (match === null) return undefined;
    const unit = match[2] as keyof typeof UNIT_MS; // the pattern allows only these units
    return Math.round(Number(match[1]) * UNIT_MS[unit]);
  },
  { type: "string", pattern: "^\\d+(\\.\\d+)?(ms|s|m|h|d)$" },
);

/** A comma-separated list of at least one text, each trimmed. */
export const list: Parse<readonly string[]> = parser(
  "a list separated by commas",
  (value) => {
    const items = value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return items.length === 0 ? undefined : items;
  },
);

/** Kafka brokers as `host:port`, separated by commas. An IPv6 address is refused: kafkajs takes it apart at its first colon (docs/kafkajs.md, "Timers and sockets"). */
export const brokers: Parse<readonly string[]> = parser(
  "host:port, more after commas",
  (value) => {
    const items = list(value);
    const ipv6 = items.find((item) => IPV6_BROKER.test(item));
    if (ipv6 !== undefined)
      throw new Error(
        `names ${ipv6} by its IPv6 address, which the Kafka client cannot use: give the broker a DNS name, and name that here`,
      );
    return items.every((item) => BROKER.test(item)) ? items : undefined;
  },
  { type: "string", pattern: "^[^,]+:\\d{1,5}( *,[^,]+:\\d{1,5})*$" },
);

/** `host:port`; the host is a name or an IPv4 address. */
const BROKER = /^[^\s:/]+:\d{1,5}$/;
const IPV6_BROKER = /^\[[^\]\s]+\]:\d{1,5}$/;

/** Takes `host:port` apart. An IPv6 address, which a URL may have, comes without its brackets, as `connect` wants it. */
export function hostAndPort(broker: string): {
  readonly host: string;
  readonly port: number;
} {
  const colon = broker.lastIndexOf(":");
  return {
    host: withoutBrackets(broker.slice(0, colon)),
    port: Number(broker.slice(colon + 1)),
  };
}

export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** What `tls.connect` is told of a host: its name, which an IP address is not (RFC 6066, section 3). */
export function serverName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** An http or https URL; a slash at its end is removed. */
export const url: Parse<string> = parser(
  "an http or https URL",
  (value) => {
    if (!URL.canParse(value.trim())) return undefined;
    const parsed = new URL(value.trim());
    return /^https?:$/.test(parsed.protocol)
      ? parsed.href.replace(/\/$/, "")
      : undefined;
  },
  { type: "string", pattern: "^https?://[^/]" },
);

function parser<T>(
  expects: string,
  read: (text: string) => T | undefined,
  schema: JsonSchema = { type: "string", minLength: 1 },
): Parse<T> {
  return Object.assign(
    (value: string): T => {
      const result = read(value);
      if (result === undefined) throw new Error(`must be ${expects}`);
      return result;
    },
    { expects, schema },
  );
}

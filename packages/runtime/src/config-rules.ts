/** Rules about several variables. Each completes "VARIABLE …", or is null where it is kept. */
import type { Parse } from "./config.ts";
import { secureContextOf, type TlsTexts } from "./live-tls.ts";

/** What was read, by the spec's names; what could not be read is absent. */
export type Values = Readonly<Record<string, unknown>>;

export function isSet(values: Values, name: string): boolean {
  return values[name] !== null && values[name] !== undefined;
}

export function together(
  values: Values,
  name: string,
  other: string,
  otherVariable: string,
): string | null {
  const isAlone = isSet(values, name) && values[other] === null;
  return isAlone ? `is set, but ${otherVariable} is not` : null;
}

/** A server's address (a URL) that the variables of its user and its TLS belong to. */
export interface UrlVariable {
  readonly name: string;
  readonly variable: string;
}

/** What belongs to a URL is refused without it. */
export function onlyWithUrl(
  values: Values,
  name: string,
  url: UrlVariable,
): string | null {
  return isSet(values, name) && values[url.name] === null
    ? `is set, but ${url.variable} is not`
    : null;
}

/** What belongs to TLS is refused where the URL is not https. */
export function onlyWithHttps(
  values: Values,
  name: string,
  url: UrlVariable,
): string | null {
  const address = values[url.name];
  if (!isSet(values, name) || address === undefined) return null;
  return typeof address === "string" && address.startsWith("https:")
    ? null
    : `is set, but ${url.variable} is not an https URL`;
}

/** Whether the URL carries a user or a password. */
export function hasUser(url: unknown): boolean {
  if (typeof url !== "string") return false;
  const { username, password } = new URL(url);
  return username !== "" || password !== "";
}

export const pem: Parse<string> = Object.assign(
  (value: string) => {
    if (!/-----BEGIN [A-Z ]+-----/.test(value))
      throw new Error("must be PEM, which has a line -----BEGIN …-----");
    return value;
  },
  { expects: "PEM" },
);

/** Certificates that cannot be used are found at the start and not at the first connection. */
export function unusable(tls: TlsTexts, whatFor: string): string | null {
  try {
    secureContextOf(tls);
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `cannot be used ${whatFor}: ${why}`;
  }
}

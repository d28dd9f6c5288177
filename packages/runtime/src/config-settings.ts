/** What a process runs with, for people: each setting with its variable and where its value came from. Secrets are not in it. */
import type { ConfigEntry, Env } from "./config.ts";

export const REDACTED = "[redacted]";

export interface Setting {
  /** The variable, without `_FILE`. */
  readonly variable: string;
  /** As it would be written in the environment. `[redacted]`: a secret that is set. Null: not set, and without a default. */
  readonly value: string | null;
  /** `file`: what was in the file that `<variable>_FILE` names when the process started. */
  readonly from: "default" | "environment" | "file";
  readonly isSecret: boolean;
  /** What the setting is for: one sentence. */
  readonly doc: string;
}

export function settingOf(entry: ConfigEntry, env: Env): Setting {
  const text = env[entry.env] ?? "";
  const isSecret = entry.secret === true;
  const isFromFile = isSecret && (env[`${entry.env}_FILE`] ?? "") !== "";
  const from = text !== "" ? "environment" : isFromFile ? "file" : "default";
  const value = from === "default" ? (entry.default ?? null) : text;
  return {
    variable: entry.env,
    value: value === null ? null : isSecret ? REDACTED : withoutSecrets(value),
    from,
    isSecret,
    doc: entry.doc,
  };
}

/** The text; of a URL without user, password and query, which may hold a secret though the setting is none. */
function withoutSecrets(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const url = URL.parse(text);
  if (url === null) return REDACTED;
  const { username, password, search, hash } = url;
  if ([username, password, search, hash].every((part) => part === ""))
    return text;
  const user = username + password === "" ? "" : `${REDACTED}@`;
  const rest = search + hash === "" ? "" : `?${REDACTED}`;
  return `${url.protocol}//${user}${url.host}${url.pathname}${rest}`;
}

import type { EncryptionKeys } from "../api/answers-system.ts";
import { counted } from "./amounts.ts";

/** How far secrets and header values are sealed with the newest key, and what to do about the rest. */
export function sealSentences(
  keys: Omit<EncryptionKeys, "keys">,
): readonly string[] {
  const { newest, remaining, missing, plainHeaders } = keys;
  const rest = [
    ...(remaining > 0
      ? [
          `${sealed(remaining)} an older key has sealed: seal anew before that key is taken away.`,
        ]
      : []),
    ...(plainHeaders > 0
      ? [
          `${counted(plainHeaders, "header value")} no key has sealed yet: an older version wrote ${plainHeaders === 1 ? "it" : "them"}. Seal anew.`,
        ]
      : []),
    ...(missing > 0
      ? [
          `${sealed(missing)} cannot be opened here: give control the key that is missing below.`,
        ]
      : []),
  ];
  return rest.length === 0
    ? [`Everything is sealed with the newest key, ${newest}.`]
    : rest;
}

function sealed(count: number): string {
  return `${counted(count, "secret")} or header ${count === 1 ? "value" : "values"}`;
}

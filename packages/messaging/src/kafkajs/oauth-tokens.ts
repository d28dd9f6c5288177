/** Tokens for SASL OAUTHBEARER, from a token endpoint by the client credentials grant (RFC 6749, section 4.4). */
import type { OauthbearerProviderResponse } from "kafkajs";
import type { KafkaConfig } from "@postrider/runtime";

/** A token endpoint that is silent for so long (ms) has failed; kafkajs then tries the connection again. */
const ANSWER_WITHIN_MS = 5_000;
/** A token is not used for this last part of its life, so that the broker never sees an old one. */
const SPARE = 0.2;
/** The life (s) of a token whose endpoint names none. */
const UNKNOWN_LIFE_S = 60;

interface Token {
  readonly value: string;
  /** By `performance.now()`. */
  readonly usableUntil: number;
}

/** Returns what kafkajs asks for a token at each connection. All connections of a client share one token while it lives, and one request for it. */
export function createOauthTokens(
  config: KafkaConfig,
): () => Promise<OauthbearerProviderResponse> {
  let token: Token | null = null;
  let asking: Promise<Token> | null = null;
  return async () => {
    if (token !== null && performance.now() < token.usableUntil) return token;
    asking ??= askForToken(config).finally(() => (asking = null));
    token = await asking;
    return token;
  };
}

async function askForToken(config: KafkaConfig): Promise<Token> {
  // The configuration is refused without these (kafka-config.ts).
  const url = config.kafkaOauthTokenUrl!;
  const id = config.kafkaOauthClientId!;
  const secret = config.kafkaOauthClientSecret!();
  const scope = config.kafkaOauthScope;
  const askedAt = performance.now();
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Basic ${basic(id, secret)}` },
    body: new URLSearchParams({
      grant_type: "client_credentials",
      ...(scope !== null && { scope }),
    }),
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((cause: unknown) => {
    throw new Error(`${url} did not answer: ${reasonOf(cause)}`, { cause });
  });
  const body: unknown = await answer.json().catch(() => null);
  const { access_token: value, expires_in: life = UNKNOWN_LIFE_S } = (body ??
    {}) as { access_token?: unknown; expires_in?: unknown };
  if (!answer.ok || typeof value !== "string" || value === "")
    throw new Error(
      `${url} answered ${answer.status} and no access_token${errorOf(body)}`,
    );
  const seconds = Number(life) > 0 ? Number(life) : UNKNOWN_LIFE_S;
  return { value, usableUntil: askedAt + seconds * 1000 * (1 - SPARE) };
}

/** Both parts are form-encoded first (RFC 6749, section 2.3.1). */
function basic(id: string, secret: string): string {
  const parts = [id, secret].map((part) => encodeURIComponent(part));
  return Buffer.from(parts.join(":")).toString("base64");
}

/** The endpoint's own words (RFC 6749, section 5.2). They name no secret. */
function errorOf(body: unknown): string {
  const { error, error_description: text } = (body ?? {}) as {
    error?: unknown;
    error_description?: unknown;
  };
  const words = [error, text].filter((word) => typeof word === "string");
  return words.length === 0 ? "" : `: ${words.join(", ")}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

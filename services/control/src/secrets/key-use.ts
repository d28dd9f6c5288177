/** Which encryption key has sealed how many of the endpoints' secrets and header values. */
import type { Endpoint, EpochMs, SealedSecret } from "@postrider/core";

export interface KeyUse {
  readonly kid: string;
  /** Whether this process has the key. What it sealed cannot be opened without it. */
  readonly isInRing: boolean;
  /** Endpoints with at least one secret or header value that this key sealed. */
  readonly endpoints: number;
  readonly secrets: number;
  readonly headers: number;
}

/** In the order of the ring, newest first, then keys that the ring lacks. Secrets that have ended sign nothing and are not counted. */
export function keyUse(
  endpoints: Iterable<readonly [string, Endpoint]>,
  kids: readonly string[],
  now: EpochMs,
): KeyUse[] {
  const none = () => ({ endpoints: 0, secrets: 0, headers: 0 });
  const counts = new Map(kids.map((kid) => [kid, none()]));
  for (const [, { secrets, sealedHeaders }] of endpoints) {
    const seen = new Set<string>();
    const add = (kid: string, what: "secrets" | "headers"): void => {
      const count = counts.get(kid) ?? none();
      count[what] += 1;
      if (!seen.has(kid)) count.endpoints += 1;
      seen.add(kid);
      counts.set(kid, count);
    };
    for (const secret of secrets)
      if (!hasEnded(secret, now)) add(secret.kid, "secrets");
    for (const { kid } of Object.values(sealedHeaders)) add(kid, "headers");
  }
  return [...counts].map(([kid, count]) => ({
    kid,
    isInRing: kids.includes(kid),
    ...count,
  }));
}

/** How many header values no key has sealed: those of endpoints that were last written by a control from before sealed headers. */
export function plainHeaders(
  endpoints: Iterable<readonly [string, Endpoint]>,
): number {
  let count = 0;
  for (const [, { headers }] of endpoints) count += Object.keys(headers).length;
  return count;
}

export function hasEnded(
  { expiresAt }: Pick<SealedSecret, "expiresAt">,
  now: EpochMs,
): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Which encryption key has sealed how many of the endpoints' secrets. */
import type { Endpoint, EpochMs, SealedSecret } from "@postrider/core";

export interface KeyUse {
  readonly kid: string;
  /** Whether this process has the key. What it sealed cannot be opened without it. */
  readonly isInRing: boolean;
  /** Endpoints with at least one secret that this key sealed. */
  readonly endpoints: number;
  readonly secrets: number;
}

/** In the order of the ring, newest first, then keys that the ring lacks. Secrets that have ended sign nothing and are not counted. */
export function keyUse(
  endpoints: Iterable<readonly [string, Endpoint]>,
  kids: readonly string[],
  now: EpochMs,
): KeyUse[] {
  const counts = new Map(
    kids.map((kid) => [kid, { endpoints: 0, secrets: 0 }]),
  );
  for (const [, { secrets }] of endpoints) {
    const seen = new Set<string>();
    for (const secret of secrets) {
      if (hasEnded(secret, now)) continue;
      const { kid } = secret;
      const count = counts.get(kid) ?? { endpoints: 0, secrets: 0 };
      count.secrets += 1;
      if (!seen.has(kid)) count.endpoints += 1;
      seen.add(kid);
      counts.set(kid, count);
    }
  }
  return [...counts].map(([kid, count]) => ({
    kid,
    isInRing: kids.includes(kid),
    ...count,
  }));
}

export function hasEnded(
  { expiresAt }: Pick<SealedSecret, "expiresAt">,
  now: EpochMs,
): boolean {
  return expiresAt !== null && expiresAt <= now;
}

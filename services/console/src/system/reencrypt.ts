import type { FailedSeal, Reencryption } from "../api/answers-system.ts";
import type { Ask } from "../api/ask.ts";

/** What all rounds together have done. */
export interface Resealed {
  readonly secrets: number;
  readonly headers: number;
  /** These stay as they were. */
  readonly failed: readonly FailedSeal[];
}

/** Round after round until none is left. What a round has done stays where a later one fails: the same again does the rest. */
export async function reencryptAll(ask: Ask, why: string): Promise<Resealed> {
  let total: Resealed = { secrets: 0, headers: 0, failed: [] };
  let after: string | null = "";
  while (after !== null) {
    const round: Reencryption = await ask<Reencryption>(
      "v1/secrets/reencrypt",
      { body: { after }, why },
    );
    total = {
      secrets: total.secrets + round.secrets,
      headers: total.headers + round.headers,
      failed: [...total.failed, ...round.failed],
    };
    after = round.next;
  }
  return total;
}

/**
 * Seals endpoints' secrets and header values anew with the newest encryption key, also values that no key has sealed yet. There is no job
 * to keep: what is left to do is told by the endpoints themselves, so a run that was cut off is gone on with by running it again, and one
 * that has nothing to do writes nothing.
 */
import type { Clock, KeyRing, Log } from "@postrider/runtime";
import type { Cause } from "../audit/cause.ts";
import type { EndpointTable } from "../endpoints/endpoint-table.ts";
import type { EndpointWriter } from "../endpoints/endpoint-writer.ts";
import { keyUse, plainHeaders, type KeyUse } from "./key-use.ts";
import { needsSealing, resealed, type NotReencrypted } from "./resealed.ts";

/** What one round did. */
export interface ReencryptionRound {
  /** The key that the secrets were sealed with. */
  readonly newest: string;
  readonly endpoints: number;
  readonly secrets: number;
  /** Header values. */
  readonly headers: number;
  readonly failed: readonly NotReencrypted[];
  /** The last endpoint of the round, with more after it; null: there are no more. */
  readonly next: string | null;
}

export interface SecretKeys {
  use(): {
    /** Newest first. */
    readonly keys: readonly KeyUse[];
    /** Header values that no key has sealed. */
    readonly plainHeaders: number;
  };
  /** One round over at most `limit` endpoints with something that the newest key has not sealed, in the order of their ids, after the endpoint `after`. Rejects with the writer's problems; what was written until then stays. */
  reencrypt(
    round: { readonly after: string; readonly limit: number },
    cause: Cause,
  ): Promise<ReencryptionRound>;
}

export function createSecretKeys(options: {
  readonly keyRing: KeyRing;
  readonly table: EndpointTable;
  readonly writer: Pick<EndpointWriter, "reseal">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}): SecretKeys {
  const { keyRing, table, writer, clock, log } = options;
  return {
    use: () => ({
      keys: keyUse(table.entries(), keyRing.kids(), clock.now()),
      plainHeaders: plainHeaders(table.entries()),
    }),
    async reencrypt({ after, limit }, cause) {
      const newest = keyRing.kids()[0]!; // a ring has a key
      const older: string[] = [];
      for (const [id, endpoint] of table.entries())
        if (id > after && needsSealing(endpoint, newest)) older.push(id);
      older.sort();
      const round = older.slice(0, limit);
      const failed: NotReencrypted[] = [];
      const done = { endpoints: 0, secrets: 0, headers: 0 };
      for (const id of round) {
        const counted = { secrets: 0, headers: 0 };
        const isWritten = await writer.reseal(id, cause, (endpoint) => {
          const made = resealed(endpoint, { keyRing, now: clock.now() });
          failed.push(...made.failed);
          counted.secrets = made.secrets;
          counted.headers = made.headers;
          return made.endpoint;
        });
        if (!isWritten) continue;
        done.endpoints += 1;
        done.secrets += counted.secrets;
        done.headers += counted.headers;
      }
      const next = older.length > limit ? round.at(-1)! : null;
      log.info("secrets.reencrypted", {
        newest,
        ...done,
        failed: failed.length,
        ...cause,
      });
      return { newest, ...done, failed, next };
    },
  };
}

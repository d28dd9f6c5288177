/**
 * Seals endpoints' secrets anew with the newest encryption key. There is no job to keep: what is left to do is told by the endpoints
 * themselves, so a run that was cut off is gone on with by running it again, and one that has nothing to do writes nothing.
 */
import { secretAad, type Endpoint, type SealedSecret } from "@postrider/core";
import {
  KeyRingError,
  type Clock,
  type KeyRing,
  type Log,
} from "@postrider/runtime";
import type { Cause } from "../audit/cause.ts";
import type { EndpointTable } from "../endpoints/endpoint-table.ts";
import type { EndpointWriter } from "../endpoints/endpoint-writer.ts";
import { hasEnded, keyUse, type KeyUse } from "./key-use.ts";

/** A secret that could not be sealed anew. It stays as it is. */
export interface NotReencrypted {
  readonly endpointId: string;
  readonly tenantId: string;
  readonly secretId: string;
  readonly kid: string;
  readonly reason: "key_missing" | "not_authentic";
}

/** What one round did. */
export interface ReencryptionRound {
  /** The key that the secrets were sealed with. */
  readonly newest: string;
  readonly endpoints: number;
  readonly secrets: number;
  readonly failed: readonly NotReencrypted[];
  /** The last endpoint of the round, with more after it; null: there are no more. */
  readonly next: string | null;
}

export interface SecretKeys {
  /** Newest first. */
  use(): KeyUse[];
  /** One round over at most `limit` endpoints with a secret of an older key, in the order of their ids, after the endpoint `after`. Rejects with the writer's problems; what was written until then stays. */
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

  function resealed(
    { id: endpointId, tenantId }: Endpoint,
    secret: SealedSecret,
  ): SealedSecret | NotReencrypted {
    const { kid, id: secretId } = secret;
    const aad = secretAad(tenantId, endpointId, secretId);
    try {
      return { ...secret, ...keyRing.seal(keyRing.open(secret, aad), aad) };
    } catch (error) {
      if (!(error instanceof KeyRingError)) throw error;
      const reason =
        error.code === "UNKNOWN_KEY" ? "key_missing" : "not_authentic";
      return { endpointId, tenantId, secretId, kid, reason };
    }
  }

  return {
    use: () => keyUse(table.entries(), keyRing.kids(), clock.now()),
    async reencrypt({ after, limit }, cause) {
      const newest = keyRing.kids()[0]!; // a ring has a key
      const older: string[] = [];
      for (const [id, { secrets }] of table.entries())
        if (id > after && secrets.some(({ kid }) => kid !== newest))
          older.push(id);
      older.sort();
      const round = older.slice(0, limit);
      const failed: NotReencrypted[] = [];
      let endpoints = 0;
      let count = 0;
      for (const id of round) {
        let ofThis = 0;
        const isWritten = await writer.reseal(id, cause, (endpoint) =>
          endpoint.secrets.map((secret) => {
            if (secret.kid === newest) return secret;
            const made = resealed(endpoint, secret);
            if (!("reason" in made)) {
              ofThis += 1;
              return made;
            }
            // Nothing is lost with a secret that has ended.
            if (!hasEnded(secret, clock.now())) failed.push(made);
            return secret;
          }),
        );
        if (!isWritten) continue;
        endpoints += 1;
        count += ofThis;
      }
      const next = older.length > limit ? round.at(-1)! : null;
      log.info("secrets.reencrypted", {
        newest,
        endpoints,
        count,
        failed: failed.length,
        ...cause,
      });
      return { newest, endpoints, secrets: count, failed, next };
    },
  };
}

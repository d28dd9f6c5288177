/** One endpoint with all that can be sealed anew under the newest key. What that key has sealed already stays as it is. */
import {
  hasAny,
  headerAad,
  secretAad,
  type Endpoint,
  type EpochMs,
} from "@postrider/core";
import { KeyRingError, type KeyRing, type Sealed } from "@postrider/runtime";
import { createHeaderSeal } from "../endpoints/header-seal.ts";
import { hasEnded } from "./key-use.ts";

/** A secret or a header's value that could not be sealed anew. It stays as it is. */
export interface NotReencrypted {
  readonly endpointId: string;
  readonly tenantId: string;
  /** Null: it is a header's value. */
  readonly secretId: string | null;
  /** The header's name; null: it is a secret. */
  readonly header: string | null;
  readonly kid: string;
  readonly reason: "key_missing" | "not_authentic";
}

/** Whether the newest key has not sealed all of it. */
export function needsSealing(endpoint: Endpoint, newest: string): boolean {
  const { secrets, headers, sealedHeaders } = endpoint;
  return (
    hasAny(headers) ||
    [...secrets, ...Object.values(sealedHeaders)].some(
      ({ kid }) => kid !== newest,
    )
  );
}

/** `endpoint` is the same object where nothing of it could be sealed anew. */
export function resealed(
  endpoint: Endpoint,
  { keyRing, now }: { readonly keyRing: KeyRing; readonly now: EpochMs },
): {
  readonly endpoint: Endpoint;
  readonly secrets: number;
  readonly headers: number;
  readonly failed: readonly NotReencrypted[];
} {
  const newest = keyRing.kids()[0]!; // a ring has a key
  const { id: endpointId, tenantId } = endpoint;
  const failed: NotReencrypted[] = [];
  const done = { secrets: 0, headers: 0 };

  /** As it was, if it does not open. */
  function anew<T extends Endpoint["sealedHeaders"][string]>(
    sealed: T,
    of: { aad: string; what: keyof typeof done; isNeeded?: boolean } & Pick<
      NotReencrypted,
      "secretId" | "header"
    >,
  ): T {
    const { kid } = sealed;
    if (kid === newest) return sealed;
    const { aad, what, isNeeded = true, secretId, header } = of;
    try {
      const made: Sealed = keyRing.seal(keyRing.open(sealed, aad), aad);
      done[what] += 1;
      return { ...sealed, ...made };
    } catch (error) {
      if (!(error instanceof KeyRingError)) throw error;
      const reason =
        error.code === "UNKNOWN_KEY" ? "key_missing" : "not_authentic";
      if (isNeeded)
        failed.push({ endpointId, tenantId, secretId, header, kid, reason });
      return sealed;
    }
  }

  const secrets = endpoint.secrets.map((secret) =>
    anew(secret, {
      aad: secretAad(tenantId, endpointId, secret.id),
      what: "secrets",
      // Nothing is lost with a secret that has ended.
      isNeeded: !hasEnded(secret, now),
      secretId: secret.id,
      header: null,
    }),
  );
  const sealedHeaders = Object.entries(endpoint.sealedHeaders).map(
    ([name, sealed]) => {
      const aad = headerAad(tenantId, endpointId, name);
      const of = {
        aad,
        what: "headers",
        secretId: null,
        header: name,
      } as const;
      return [name, anew(sealed, of)] as const;
    },
  );
  done.headers += Object.keys(endpoint.headers).length;
  if (done.secrets + done.headers === 0) return { endpoint, ...done, failed };
  return {
    endpoint: createHeaderSeal(keyRing).seal({
      ...endpoint,
      secrets,
      sealedHeaders: Object.fromEntries(sealedHeaders),
    }),
    ...done,
    failed,
  };
}

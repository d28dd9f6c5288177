import type { Endpoint, EpochMs, SealedSecret } from "@postrider/core";
import { rfc3339 } from "../http/rfc3339.ts";
import { ControlProblem } from "../http/problem.ts";
import type { SecretRotation } from "./endpoint-input.ts";
import type { ChangeTerms, EndpointWriter } from "./endpoint-writer.ts";
import { nextVersion } from "./endpoint.ts";
import type { PublicKeyOf } from "./public-keys.ts";
import type { SecretMaker } from "./secret-maker.ts";
import { requireSignable } from "./signing-rules.ts";

/** Each secret makes a signature in every request, and is opened for each. */
export const MAX_SECRETS = 5;

/** Gives an endpoint a new secret. Resolves to the endpoint and the plain secret, which cannot be read again later. */
export type RotateSecret = (
  id: string,
  terms: ChangeTerms,
  rotation: SecretRotation,
) => Promise<{ readonly endpoint: Endpoint; readonly secret: string }>;

export function createSecretRotation(options: {
  readonly writer: EndpointWriter;
  readonly secrets: SecretMaker;
  readonly publicKeyOf: PublicKeyOf;
}): RotateSecret {
  const { writer, secrets, publicKeyOf } = options;
  return async (id, terms, rotation) => {
    let plain = "";
    const endpoint = await writer.change(id, terms, (before, now) => {
      const made = secrets.make(
        before.tenantId,
        id,
        wantedOf(before, rotation),
      );
      plain = made.plain;
      const after = rotatedEndpoint(before, made.sealed, {
        overlapMs: rotation.overlapMs,
        now,
      });
      requireSignable(after, publicKeyOf);
      return after;
    });
    return { endpoint, secret: plain };
  };

  /** Without a wish, the new secret is of the newest one's type, because the receiver verifies with that. Throws a `ControlProblem` where that type is not known. */
  function wantedOf(
    endpoint: Endpoint,
    { secret, secretType }: SecretRotation,
  ) {
    if (secret !== undefined) return { secret };
    if (secretType !== undefined) return { type: secretType };
    const newest = endpoint.secrets.at(-1);
    const publicKey = newest && publicKeyOf(endpoint, newest);
    if (publicKey === undefined) throw unknownType(endpoint);
    return { type: publicKey === null ? "hmac" : "ed25519" } as const;
  }
}

/**
 * The next version, with the new secret at the end. The others sign until the overlap ends, or until they would have ended
 * anyway; with no overlap they are gone. Throws a `ControlProblem` if too many secrets would be valid.
 */
export function rotatedEndpoint(
  endpoint: Endpoint,
  added: SealedSecret,
  { overlapMs, now }: { readonly overlapMs: number; readonly now: EpochMs },
): Endpoint {
  const endsAt = now + overlapMs;
  const older = endpoint.secrets.map((secret) => ({
    ...secret,
    expiresAt: Math.min(secret.expiresAt ?? endsAt, endsAt),
  }));
  const next = nextVersion({ ...endpoint, secrets: [...older, added] }, now);
  if (next.secrets.length > MAX_SECRETS) throw tooMany(endpoint);
  return next;
}

function unknownType({ id }: Endpoint): ControlProblem {
  return new ControlProblem(
    "conflict",
    `The newest secret of endpoint ${id} does not open, so its type is not known. Say what the new one is to be: send secretType (hmac or ed25519, as the receiver verifies), or a secret of your own. If the encryption key was only left out of the settings, give it back first.`,
    {
      errors: [
        {
          field: "secretType",
          rule: "required",
          message: "is required, unless a secret is given",
        },
      ],
    },
  );
}

function tooMany({ secrets }: Endpoint): ControlProblem {
  const ends = secrets.flatMap(({ expiresAt }) => expiresAt ?? []);
  const first = rfc3339(Math.min(...ends));
  return new ControlProblem(
    "conflict",
    `${MAX_SECRETS} secrets of the endpoint are valid already. Rotate after ${first}, when the first of them ends, or with an overlap of 0, which ends them all.`,
    {
      errors: [
        {
          field: "secrets",
          rule: "max",
          message: `must be at most ${MAX_SECRETS} at a time`,
        },
      ],
    },
  );
}

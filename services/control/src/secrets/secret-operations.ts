/** What the routes of encryption keys take and answer. */
import { ADMINISTER_ALL, described, READ_ALL } from "@postrider/http";
import { z } from "zod";
import { WRITE_KINDS } from "../http/problem.ts";
import { auditReason, listOf, oneOf } from "../http/shown.ts";

const tag = "secrets";

/** Each endpoint of a round is a transaction of some 10 ms. */
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

export const reencryptionRound = z.strictObject({
  after: z.string().max(128).default("").meta({
    description: "`next` of the round before; left out in the first",
  }),
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT).meta({
    description: "Endpoints of this round, at most",
  }),
});

export const keyUseView = z
  .strictObject({
    newest: z.string().meta({ description: "The key that seals" }),
    remaining: z.int().meta({
      description:
        "Secrets and header values that an older key sealed, and that can be sealed anew",
    }),
    missing: z.int().meta({
      description:
        "Secrets and header values whose key this replica does not have",
    }),
    plainHeaders: z.int().meta({
      description:
        "Header values that no key has sealed yet: an older version wrote them",
    }),
    keys: listOf(
      z.strictObject({
        kid: z.string(),
        isInRing: z.boolean().meta({
          description: "Whether this replica has the key",
        }),
        endpoints: z.int(),
        secrets: z.int(),
        headers: z.int(),
      }),
    ).meta({ description: "Newest first, then those that are missing" }),
  })
  .meta({ id: "EncryptionKeys" });

const roundView = z
  .strictObject({
    newest: z.string(),
    endpoints: z.int(),
    secrets: z.int(),
    headers: z.int(),
    failed: listOf(
      z.strictObject({
        endpointId: z.string(),
        tenantId: z.string(),
        secretId: z
          .string()
          .nullable()
          .meta({ description: "Null: it is a header's value" }),
        header: z
          .string()
          .nullable()
          .meta({ description: "The header's name; null: it is a secret" }),
        kid: z.string(),
        reason: oneOf(["key_missing", "not_authentic"]),
      }),
    ).meta({ description: "These stay as they are" }),
    next: z.string().nullable().meta({
      description: "`after` of the next round; null: there is no more",
    }),
  })
  .meta({ id: "Reencryption" });

export const SECRET_OPERATIONS = {
  get: described(READ_ALL, {
    id: "getEncryptionKeys",
    tag,
    summary:
      "Which encryption key has sealed how many endpoint secrets and header values",
    description:
      "Secrets of inline destinations and of records that could not be read are not counted: they are in Kafka's records alone.",
    answers: {
      200: {
        description: "Counts, as this replica knows the endpoints now",
        body: keyUseView,
        example: {
          newest: "k2",
          remaining: 4,
          missing: 0,
          plainHeaders: 0,
          keys: [
            {
              kid: "k2",
              isInRing: true,
              endpoints: 12,
              secrets: 13,
              headers: 2,
            },
            { kid: "k1", isInRing: true, endpoints: 3, secrets: 3, headers: 1 },
          ],
        },
      },
    },
  }),
  reencrypt: described(ADMINISTER_ALL, {
    id: "reencryptSecrets",
    tag,
    summary:
      "Seals secrets and header values of endpoints anew with the newest key",
    description:
      "One round; call it again with `after` until `next` is null. No endpoint's version changes, and none that somebody changes meanwhile is overwritten. It may be repeated at any time.",
    headers: z.object(auditReason),
    body: { schema: reencryptionRound, isOptional: true, example: {} },
    answers: {
      200: {
        description: "What the round did",
        body: roundView,
        example: {
          newest: "k2",
          endpoints: 3,
          secrets: 3,
          headers: 1,
          failed: [],
          next: null,
        },
      },
    },
    problems: WRITE_KINDS,
  }),
};

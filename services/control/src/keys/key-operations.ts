/** What the routes of keys take and answer. */
import { ADMINISTER, described } from "@postrider/http";
import { z } from "zod";
import { keyView, type KeyView } from "./api-key.ts";
import { keyCreation, keyListQuery } from "./key-input.ts";
import { kinds, WRITE_KINDS } from "../http/problem.ts";
import { auditReason, idOf, listOf, nextCursor } from "../http/shown.ts";

const tag = "keys";
const params = idOf("key", "8a1862c9e1c74668");

const A_KEY: KeyView = {
  id: "8a1862c9e1c74668",
  name: "ci of acme",
  role: "publisher",
  tenantId: "acme",
  state: "active",
  limitPerSecond: 50,
  limitBurst: 50,
  createdBy: "admin",
  createdAt: "2026-11-29T16:50:55.058Z",
  expiresAt: "2027-02-27T16:50:55.056Z",
  revokedAt: null,
};
const ONE = { description: "The key", body: keyView, example: A_KEY };

export const KEY_OPERATIONS = {
  create: described(ADMINISTER, {
    id: "createKey",
    tag,
    summary: "Makes a key",
    headers: z.object(auditReason),
    body: {
      schema: keyCreation,
      example: {
        name: "ci of acme",
        role: "publisher",
        tenantId: "acme",
        expiresIn: "90d",
        limitPerSecond: 50,
      },
    },
    answers: {
      201: {
        description: "The key and its token, which is shown this once",
        body: keyView
          .extend({ token: z.string() })
          .meta({ id: "KeyWithToken" }),
        headers: { location: "The key's path" },
        example: {
          ...A_KEY,
          token:
            "prk_8a1862c9e1c74668_Vn7MvDcTQu48z8baWtcH62-B_v6SoL6Bv_hcuD9t5HI",
        },
      },
    },
    problems: { ...kinds("conflict"), ...WRITE_KINDS },
  }),
  list: described(ADMINISTER, {
    id: "listKeys",
    tag,
    summary: "Lists keys, oldest first",
    query: keyListQuery,
    answers: {
      200: {
        description: "A page",
        body: z
          .strictObject({ keys: listOf(keyView), nextCursor })
          .meta({ id: "KeyPage" }),
        example: { keys: [A_KEY], nextCursor: null },
      },
    },
  }),
  get: described(ADMINISTER, {
    id: "getKey",
    tag,
    summary: "One key",
    params,
    answers: { 200: ONE },
  }),
  revoke: described(ADMINISTER, {
    id: "revokeKey",
    tag,
    summary: "Refuses a key from now on, for good",
    params,
    headers: z.object(auditReason),
    answers: { 200: ONE },
    problems: WRITE_KINDS,
  }),
};

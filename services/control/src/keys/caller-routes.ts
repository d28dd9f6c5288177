import { ANY_KEY, described, type Routes } from "@postrider/http";
import { z } from "zod";
import { oneOf } from "../http/shown.ts";

/** `GET /v1/caller`: what the key of the request may do. A program that shows only what its user may do asks it first. */
export const callerRoutes: Routes = (app) => {
  app.get("/v1/caller", CALLER, async ({ caller }) => ({
    keyId: caller.keyId,
    role: caller.role,
    tenantId: caller.tenantId,
  }));
};

const CALLER = described(ANY_KEY, {
  id: "getCaller",
  tag: "keys",
  summary: "What the key of this request may do",
  answers: {
    200: {
      description: "The key, as the API knows it",
      body: z
        .strictObject({
          keyId: z
            .string()
            .meta({ description: "`admin`: the key of `POSTRIDER_ADMIN_KEY`" }),
          role: oneOf(["admin", "reader", "publisher"]),
          tenantId: z
            .string()
            .nullable()
            .meta({ description: "The only tenant that it sees; null: every" }),
        })
        .meta({ id: "Caller" }),
      example: { keyId: "8a1862c9e1c74668", role: "reader", tenantId: "acme" },
    },
  },
});

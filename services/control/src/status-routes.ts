import type { Ownership } from "./writer/ownership.ts";
import type { Reader } from "./reads/reader.ts";
import { described, READ_ALL, type Routes } from "@postrider/http";
import { z } from "zod";

/** `GET /v1/status`: this replica's state and what it can reach. */
export function statusRoutes(options: {
  readonly ownership: Pick<Ownership, "describe">;
  readonly reader: Pick<Reader, "reachability">;
  readonly endpoints: () => number;
}): Routes {
  return (app) => {
    app.get("/v1/status", STATUS, async () => {
      const { state, detail } = options.ownership.describe();
      return {
        isOwner: state === "owner",
        ownership: { state, detail },
        endpoints: options.endpoints(),
        clickhouse: options.reader.reachability(),
      };
    });
  };
}

const STATUS = described(READ_ALL, {
  id: "getStatus",
  tag: "status",
  summary: "This replica's state, and what it can reach",
  answers: {
    200: {
      description: "The state now",
      body: z
        .strictObject({
          isOwner: z.boolean().meta({ description: "Whether it may write" }),
          ownership: z.strictObject({
            state: z.enum(["owner", "follower", "acquiring"]),
            detail: z.string(),
          }),
          endpoints: z.int(),
          clickhouse: z.strictObject({
            isReachable: z.boolean(),
            detail: z.string(),
          }),
        })
        .meta({ id: "Status" }),
      example: {
        isOwner: true,
        ownership: { state: "owner", detail: "owns the control partition" },
        endpoints: 1,
        clickhouse: { isReachable: true, detail: "reachable" },
      },
    },
  },
});

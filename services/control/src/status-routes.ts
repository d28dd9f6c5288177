import type { Ownership } from "./writer/ownership.ts";
import type { Reader } from "./reads/reader.ts";
import { READ_ALL, type Routes } from "@postrider/http";

/** `GET /v1/status`: this replica's state and what it can reach. */
export function statusRoutes(options: {
  readonly ownership: Pick<Ownership, "describe">;
  readonly reader: Pick<Reader, "reachability">;
  readonly endpoints: () => number;
}): Routes {
  return (app) => {
    app.get("/v1/status", READ_ALL, async () => {
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

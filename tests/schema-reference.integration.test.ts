/** docs/sql/schema.md is what a ClickHouse has to which every migration was applied. */
import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { useStack } from "@postrider/testkit";

const stack = useStack();

test("docs/sql/schema.md says of every table and column what it is, as the migrations make it", () => {
  const script = new URL(
    "../scripts/generate-schema-reference.ts",
    import.meta.url,
  );

  const { status, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(script), "--check"],
    {
      encoding: "utf8",
      env: { ...process.env, CLICKHOUSE_URL: stack.clickhouseUrl },
    },
  );

  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

import { expect, test } from "@jest/globals";
import { inLink, MAX_LINK_BYTES } from "./own-sql.ts";

test("SQL is in the link up to 4 KiB of it, as it is written there", () => {
  const fits = "x".repeat(MAX_LINK_BYTES - "sql=".length);

  expect(inLink(fits)).toEqual({ sql: fits });
  expect(inLink(`${fits}x`)).toEqual({});
  // `%0A`
  expect(inLink("\n".repeat(MAX_LINK_BYTES / 2))).toEqual({});
  expect(inLink("")).toEqual({});
});

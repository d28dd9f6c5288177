import { expect, test } from "@jest/globals";
import { parseTiers } from "@postrider/core";
import { tierHeaders, tierOf } from "./tier-header.ts";

const TIERS = parseTiers("1s,2s");

test.each(TIERS)("a wait in tier $name is told by its header", (tier) => {
  expect(tierOf(tierHeaders(tier), TIERS)).toBe(tier.name);
});

test.each([
  [{}, "none"],
  [tierHeaders(parseTiers("3s")[0]!), "other"],
  [{ "postrider-tier": [Buffer.from("1s"), Buffer.from("2s")] }, "other"],
  [{ "postrider-tier": Buffer.from("x".repeat(1_000)) }, "other"],
])("headers %# make the label %s", (headers, label) => {
  expect(tierOf(headers, TIERS)).toBe(label);
});

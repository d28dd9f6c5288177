/** Broken files of sources. */
import { expect, test } from "@jest/globals";
import { ConfigFileError } from "@postrider/runtime";
import { fuzz, mutated } from "@postrider/testkit";
import { readSources } from "./read-sources.ts";

const SOURCES = [
  `
# comment
sources:
  - topic: shop.orders
    format: json
    tenantId: { literal: acme }
    type: { path: $.event }
    id: { path: '$["order id"]' }
  - &one
    topic: shop.parcels
    format: avro
    tenantId: {header: tenant}
    type: {literal: parcel.moved}
  - <<: *one
    topic: "shop.\\u0061"
`,
  `{"sources":[{"topic":"a","format":"json"}]}`,
  "sources: &a [*a, {topic: &b {c: *b}}]\n? [b]\n: !!set {x}\n--- |\n text\n...\n",
].map((text) => Buffer.from(text));

test.each([
  "sources: &a [*a]",
  "sources: [&a {topic: *a}]",
  "sources: [{topic: x, tenantId: &a {literal: [*a]}}]",
])("a sources file with a value that holds itself is refused: %s", (text) => {
  expect(() => readSources(text)).toThrow(ConfigFileError);
});

test("a sources file that is nested too deeply is refused in a few lines", () => {
  try {
    readSources("[".repeat(2_000));
    expect("no error").toBe("an error");
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigFileError);
    expect((error as Error).message.split("\n").length).toBeLessThan(30);
  }
});

test("any sources file is read, or refused with every line that is wrong", async () => {
  await fuzz({
    name: "sources file",
    inputs: 80,
    make: (random) =>
      mutated(
        random,
        SOURCES[random.between(0, SOURCES.length - 1)]!,
        SOURCES,
      ).toString(),
    feed: (text) => {
      try {
        expect(Array.isArray(readSources(text))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigFileError);
        expect((error as Error).message).not.toBe("");
      }
    },
  });
});

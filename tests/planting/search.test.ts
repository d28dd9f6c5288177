import { expect, test } from "@jest/globals";
import { plant, Search } from "./search.ts";

const secret = plant("a secret");

test.each([
  ["plain", `x${secret.text}y`],
  ["hex", Buffer.from(`xx${secret.text}yy`).toString("hex")],
  ["HEX", Buffer.from(secret.text).toString("hex").toUpperCase()],
  ...["", "x", "xx", "xxx"].map(
    (before) =>
      [
        "base64",
        Buffer.from(`${before}${secret.text}yy`).toString("base64"),
      ] as const,
  ),
])("a planted secret is found in %s", (form, text) => {
  const search = new Search([secret]);

  search.look("log of x", text);

  expect(search.found).toContain(`a secret (${form}) in log of x`);
});

test("what does not hold it is not found", () => {
  const search = new Search([secret]);

  search.look("log of x", plant("another").text);

  expect(search.found).toEqual([]);
});

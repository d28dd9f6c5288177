import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { curlOf, type CurlRequest } from "./curl.ts";

/** What a shell makes of the command: curl's arguments, and what it reads where it reads. */
function run(command: string): { args: string[]; input: string } {
  const script = `curl() { for a; do printf '%s\\0' "$a"; done; case "$*" in *@-) printf 'STDIN'; cat;; esac; }\n${command}`;
  const out = execFileSync("sh", ["-s"], { input: script }).toString("latin1");
  const [args = "", input = ""] = out.split("STDIN");
  return { args: args.split("\0").slice(0, -1), input };
}

const REQUEST: CurlRequest = {
  method: "POST",
  url: "https://example.com/hooks?a=1&b=2",
  headers: { "content-type": "application/json", "x-own": "it's" },
  body: '{"a":"it\'s $HOME `id`"}',
  encoding: "utf8",
};

test("a shell gives curl exactly the request", () => {
  expect(run(curlOf(REQUEST)).args).toEqual([
    "--globoff",
    "--request",
    "POST",
    "https://example.com/hooks?a=1&b=2",
    "--header",
    "content-type: application/json",
    "--header",
    "x-own: it's",
    "--data-raw",
    REQUEST.body,
  ]);
});

test("no text of others gets out of its quotes", () => {
  const word = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
  fc.assert(
    fc.property(word, word, (value, body) => {
      const { args } = run(
        curlOf({ ...REQUEST, headers: { "x-a": value }, body }),
      );

      expect(args.slice(4)).toEqual([
        "--header",
        `x-a: ${value}`,
        "--data-raw",
        body,
      ]);
    }),
    { numRuns: 30 },
  );
});

test.each([
  ["binary", { body: "AP8=", encoding: "base64" as const }, "\u0000\u00ff"],
  ["a zero byte", { body: "a\0b", encoding: "utf8" as const }, "a\0b"],
  [
    "more than an argument may be",
    { body: "x".repeat(200_000), encoding: "utf8" as const },
    "x".repeat(200_000),
  ],
  [
    "more bytes than an argument may have",
    { body: "漢".repeat(60_000), encoding: "utf8" as const },
    Buffer.from("漢".repeat(60_000)).toString("latin1"),
  ],
])("a body with %s goes through a pipe", (_, given, input) => {
  const ran = run(curlOf({ ...REQUEST, ...given }));

  expect(ran.args.slice(-2)).toEqual(["--data-binary", "@-"]);
  expect(ran.input).toBe(input);
});

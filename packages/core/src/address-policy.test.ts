import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  isInCidrs,
  judgeAddress,
  judgeUrl,
  parseAddress,
  parseCidrs,
} from "./index.ts";

interface Vectors {
  blocked: { address: string; why: string }[];
  allowed: string[];
  hostAfterParsing: { url: string; hostname: string }[];
  refusedUrls: { url: string; why: string }[];
}
const vectors = JSON.parse(
  readFileSync(new URL("../vectors/addresses.json", import.meta.url), "utf8"),
) as Vectors;

const strict = { allowHttp: true, allowedCidrs: [] };
const withLoopback = {
  allowHttp: true,
  allowedCidrs: parseCidrs("127.0.0.0/8, ::1"),
};

test.each(vectors.blocked)("$address is refused: $why", ({ address }) => {
  expect(judgeAddress(address, strict).allowed).toBe(false);
});

test.each(vectors.allowed)("%s is allowed", (address) => {
  expect(judgeAddress(address, strict)).toEqual({ allowed: true });
});

test.each([
  "",
  "localhost",
  "127.1",
  "0177.0.0.1",
  "1.2.3.256",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.4 ",
  "fe80::1%eth0",
  "[::1]",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "::ffff:1.2.3",
  "1.2.3.4::",
  "12345::",
  "g::",
])("%j is no address, and refused", (text) => {
  expect(parseAddress(text)).toBeUndefined();
  expect(judgeAddress(text, strict).allowed).toBe(false);
});

test("every IPv6 spelling is read as ipaddr.js reads it", () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      // ipaddr.js reads the deprecated ::a.b.c.d as ::ffff:a.b.c.d, which is a different address
      fc.pre(!/^::\d+\./.test(text));

      expect(parseAddress(text)).toEqual(ipaddr.parse(text).toByteArray());
    }),
  );
});

test("every allowed address is unicast by ipaddr.js", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const { allowed } = judgeAddress(text, strict);

      const range = ipaddr.process(text).range();
      expect(allowed && range !== "unicast").toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test("every IPv4 address inside IPv6 is refused but the mapped form of an allowed one", () => {
  fc.assert(
    fc.property(fc.ipV4(), (ipv4) => {
      const expected = judgeAddress(ipv4, strict);

      expect(judgeAddress(`::ffff:${ipv4}`, strict)).toEqual(expected);
      for (const form of ["::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::"])
        expect(judgeAddress(form + ipv4, strict).allowed).toBe(false);
    }),
  );
});

test("configured blocks are allowed, also as IPv4-mapped IPv6, and nothing outside them", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    expect(judgeAddress(address, withLoopback).allowed).toBe(true);
    expect(isInCidrs(address, withLoopback.allowedCidrs)).toBe(true);
  }
  for (const address of ["10.0.0.1", "::2", "::127.0.0.1", "128.0.0.1", "x"])
    expect(isInCidrs(address, withLoopback.allowedCidrs)).toBe(false);
  expect(judgeAddress("10.0.0.1", withLoopback).allowed).toBe(false);
});

test.each(["10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/8/8", "1/-1"])(
  "the block %s is refused",
  (text) => {
    expect(() => parseCidrs(text)).toThrow(RangeError);
  },
);

test("an empty text is an empty list of blocks", () => {
  expect(parseCidrs("")).toEqual([]);
  expect(parseCidrs(" , ")).toEqual([]);
});

test.each(vectors.refusedUrls)("$url is refused: $why", ({ url }) => {
  expect(judgeUrl(url, strict).ok).toBe(false);
});

test.each(vectors.hostAfterParsing)(
  "$url is judged as $hostname",
  ({ url, hostname }) => {
    const lenient = {
      allowHttp: true,
      allowedCidrs: parseCidrs("0.0.0.0/0,::/0"),
    };

    const judgement = judgeUrl(url, lenient);

    expect(judgement).toMatchObject({ ok: true, url: { hostname } });
    const isPublicName = hostname.endsWith(".example");
    expect(judgeUrl(url, strict).ok).toBe(isPublicName);
  },
);

test("a URL is taken apart after it was normalised", () => {
  expect(
    judgeUrl("HTTPS://EXAMPLE.com/a/../b?c=d#e", {
      allowHttp: false,
      allowedCidrs: [],
    }),
  ).toEqual({
    ok: true,
    needsAllowedCidr: false,
    url: {
      href: "https://example.com/b?c=d#e",
      origin: "https://example.com",
      protocol: "https:",
      hostname: "example.com",
      address: null,
      port: 443,
      path: "/b?c=d",
    },
  });
  expect(judgeUrl("http://[2606:4700::1]:8080/", strict)).toMatchObject({
    ok: true,
    url: { address: "2606:4700::1", hostname: "[2606:4700::1]", port: 8080 },
  });
});

test.each([
  ["http://example.com/", "scheme"],
  ["https://user@example.com/", "no_userinfo"],
  ["https://:p@example.com/", "no_userinfo"],
  ["https://example.com:0/", "port"],
  ["https://example.com:00000/hook", "port"],
  ["https://exa\nmple.com/", "characters"],
  [" https://example.com/", "characters"],
  ["https://10.0.0.1/", "address"],
  ["https://[::1]/", "address"],
  ["https://metadata/", "local_name"],
  ["https://a.LOCAL./", "local_name"],
  [`https://example.com/${"a".repeat(2_048)}`, "length"],
])("by default %s breaks the rule %s", (url, rule) => {
  const policy = { allowHttp: false, allowedCidrs: [] };

  expect(judgeUrl(url, policy)).toMatchObject({ ok: false, rule });
});

test("a local name needs an address in an allowed block, if blocks are allowed", () => {
  expect(judgeUrl("http://localhost:8080/", withLoopback)).toMatchObject({
    ok: true,
    needsAllowedCidr: true,
  });
  expect(judgeUrl("https://example.com/", withLoopback)).toMatchObject({
    ok: true,
    needsAllowedCidr: false,
  });
});

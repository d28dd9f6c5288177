import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  isAllowedFor,
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

const strict = { allowHttp: true, allowedCidrs: [], deniedCidrs: [] };
const withLoopback = {
  allowHttp: true,
  allowedCidrs: parseCidrs("127.0.0.0/8, ::1"),
  deniedCidrs: [],
};

test.each(vectors.blocked)("$address is refused: $why", ({ address }) => {
  expect(judgeAddress(address, strict).allowed).toBe(false);
});

test.each(vectors.allowed)("%s is allowed", (address) => {
  expect(judgeAddress(address, strict)).toEqual({
    allowed: true,
    rule: "public",
    cidr: null,
  });
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

const LOCAL = { isLocal: true };
const PUBLIC = { isLocal: false };

test("configured blocks are allowed, also as IPv4-mapped IPv6, and nothing outside them", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    const judgement = judgeAddress(address, withLoopback);

    expect(judgement).toMatchObject({ allowed: true, rule: "allowed_cidr" });
    expect(isAllowedFor(LOCAL, judgement)).toBe(true);
  }
  for (const address of ["10.0.0.1", "::2", "::127.0.0.1", "x"])
    expect(judgeAddress(address, withLoopback).allowed).toBe(false);
});

test("a local name may be called at addresses of allowed blocks alone, a public name at public ones, too", () => {
  const judgement = judgeAddress("1.1.1.1", withLoopback);

  expect(isAllowedFor(PUBLIC, judgement)).toBe(true);
  expect(isAllowedFor(LOCAL, judgement)).toBe(false);
});

describe("denied blocks", () => {
  const policy = {
    allowHttp: true,
    allowedCidrs: parseCidrs("10.0.0.0/8, 127.0.0.0/8, fd00::/8"),
    deniedCidrs: parseCidrs("10.1.0.0/16, 1.1.1.1, fd00:ec2::254, 2600::/16"),
  };

  test.each([
    ["10.1.2.3", "10.1.0.0/16"], // also inside an allowed block
    ["::ffff:10.1.2.3", "10.1.0.0/16"],
    ["::ffff:a01:203", "10.1.0.0/16"],
    ["1.1.1.1", "1.1.1.1"], // public
    ["fd00:ec2::254", "fd00:ec2::254"],
    ["fd00:0ec2:0:0::0254", "fd00:ec2::254"],
    ["2600::1", "2600::/16"],
  ])("%s is refused by %s", (address, cidr) => {
    const judgement = judgeAddress(address, policy);

    expect(judgement).toEqual({
      allowed: false,
      rule: "denied_cidr",
      cidr,
      why: "denied by the operator",
    });
    expect(isAllowedFor(LOCAL, judgement)).toBe(false);
  });

  test.each(["10.2.0.1", "127.0.0.1", "fd00::1", "8.8.8.8"])(
    "%s outside of them is judged as ever",
    (address) => {
      expect(judgeAddress(address, policy).allowed).toBe(true);
    },
  );

  test.each([
    "http://10.1.2.3/",
    "http://167838211/",
    "http://0xa010203/",
    "http://012.01.02.03/",
    "http://10.1.515/",
    "http://10.66051/",
    "http://[::ffff:10.1.2.3]/",
    "http://１０.1.2.3/",
    "http://[fd00:ec2:0:0::254]/",
  ])("the URL %s is refused, however its host is spelled", (url) => {
    expect(judgeUrl(url, policy)).toMatchObject({
      ok: false,
      rule: "address",
      message: "requests to it are refused: denied by the operator",
    });
  });

  test("of mapped IPv4 addresses are the IPv4 blocks that they map", () => {
    const mapped = {
      ...policy,
      deniedCidrs: parseCidrs("::ffff:127.0.0.0/104, ::ffff:8.8.8.8"),
    };

    for (const address of ["127.9.9.9", "::ffff:127.0.0.1", "8.8.8.8"])
      expect(judgeAddress(address, mapped)).toMatchObject({
        rule: "denied_cidr",
      });
    expect(judgeAddress("8.8.4.4", mapped).allowed).toBe(true);
  });

  test("win for every address, whatever is allowed", () => {
    const everything = parseCidrs("0.0.0.0/0, ::/0");
    const shut = { allowedCidrs: everything, deniedCidrs: everything };

    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(judgeAddress(address, shut).allowed).toBe(false);
      }),
    );
  });
});

/** How each form that embeds an IPv4 address writes 169.254.169.254, 10.1.2.3 and 1.1.1.1. */
describe.each([
  [
    "64:ff9b::/96",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a01:203",
    "64:ff9b::1.1.1.1",
  ],
  [
    "64:ff9b:1::/48",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:fffe::a01:203",
    "64:ff9b:1:7::1.1.1.1",
  ],
  ["::/96", "::a9fe:a9fe", "::10.1.2.3", "::1.1.1.1"],
  [
    "::ffff:0:0:0/96",
    "::ffff:0:a9fe:a9fe",
    "::ffff:0:10.1.2.3",
    "::ffff:0:1.1.1.1",
  ],
  ["2002::/16", "2002:a9fe:a9fe::1", "2002:a01:203::1", "2002:101:101::1"],
  [
    "2001::/32",
    "2001::5601:5601",
    "2001:0:4136:e378:8000:63bf:f5fe:fdfc",
    "2001::fefe:fefe",
  ],
])("behind the allowed block %s", (block, metadata, ten, one) => {
  const policyOf = (allow: string, deny = "") => ({
    allowedCidrs: parseCidrs(`${block},${allow}`),
    deniedCidrs: parseCidrs(deny),
  });

  test("a public IPv4 address may be called", () => {
    expect(judgeAddress(one, policyOf(""))).toEqual({
      allowed: true,
      rule: "allowed_cidr",
      cidr: block,
    });
  });

  test("an IPv4 address of a special range is refused as such, until it is allowed itself", () => {
    expect(judgeAddress(metadata, policyOf("10.0.0.0/8"))).toEqual({
      allowed: false,
      rule: "special_range",
      cidr: "169.254.0.0/16",
      why: "link-local",
      ipv4: "169.254.169.254",
    });
    expect(judgeAddress(ten, policyOf("10.0.0.0/8")).allowed).toBe(true);
  });

  test("a denied IPv4 address is refused, also if it is allowed or public", () => {
    const policy = policyOf("0.0.0.0/0", "10.0.0.0/8,169.254.0.0/16,1.1.1.1");

    for (const [address, cidr, ipv4] of [
      [metadata, "169.254.0.0/16", "169.254.169.254"],
      [ten, "10.0.0.0/8", "10.1.2.3"],
      [one, "1.1.1.1", "1.1.1.1"],
    ] as const)
      expect(judgeAddress(address, policy)).toEqual({
        allowed: false,
        rule: "denied_cidr",
        cidr,
        why: "denied by the operator",
        ipv4,
      });
  });

  test("an allowed IPv4 address alone does not allow the form", () => {
    const policy = { ...policyOf(""), allowedCidrs: parseCidrs("0.0.0.0/0") };

    expect(judgeAddress(one, policy).allowed).toBe(false);
    expect(judgeAddress(ten, policy).allowed).toBe(false);
  });
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
      deniedCidrs: [],
    };

    const judgement = judgeUrl(url, lenient);

    expect(judgement).toMatchObject({ ok: true, url: { hostname } });
    const isPublicName = hostname.endsWith(".example");
    expect(judgeUrl(url, strict).ok).toBe(isPublicName);
  },
);

/** Ways to write the IPv4 addresses 127.0.0.1 and 169.254.169.254 that URL parsers and resolvers accept. */
test.each([
  ["decimal", "2130706433", "2852039166"],
  ["hexadecimal", "0x7f000001", "0xA9FEA9FE"],
  ["octal", "017700000001", "025177524776"],
  ["dotted octal", "0177.0.0.01", "0251.0376.0251.0376"],
  ["dotted hexadecimal", "0x7f.0x0.0x0.0x1", "0xa9.0xfe.0xa9.0xfe"],
  ["a mixture", "0x7f.0.0.01", "169.0xfe.0251.254"],
  ["three parts", "127.0.1", "169.254.43518"],
  ["two parts", "127.1", "169.16689662"],
  ["a dot at the end", "127.0.0.1.", "169.254.169.254."],
  ["full-width digits", "１２７.0.0.1", "１６９.254.169.254"],
  ["circled digits", "①②⑦.0.0.1", "①⑥⑨.254.169.254"],
  ["an ideographic full stop", "127。0。0。1", "169。254。169。254"],
  ["escaped", "%31%32%37.0.0.1", "%31%36%39.254.169.254"],
  ["mapped", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]"],
  ["mapped, hexadecimal", "[::ffff:7f00:1]", "[::FFFF:a9fe:a9fe]"],
  ["mapped, in full", "[0:0:0:0:0:ffff:7f00:1]", "[0::0:ffff:a9fe:a9fe]"],
  ["compatible", "[::127.0.0.1]", "[::169.254.169.254]"],
  ["translated (SIIT)", "[::ffff:0:127.0.0.1]", "[::ffff:0:a9fe:a9fe]"],
  ["NAT64", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]"],
  ["local NAT64", "[64:ff9b:1::127.0.0.1]", "[64:ff9b:1::a9fe:a9fe]"],
  ["6to4", "[2002:7f00:1::1]", "[2002:a9fe:a9fe::1]"],
  ["Teredo", "[2001::80ff:fffe]", "[2001::5601:5601]"],
])("an internal address written as %s is refused", (_way, ...hosts) => {
  for (const host of hosts)
    expect([host, judgeUrl(`http://${host}/`, strict)]).toMatchObject([
      host,
      { ok: false, rule: "address" },
    ]);
});

test("a URL is taken apart after it was normalised", () => {
  expect(
    judgeUrl("HTTPS://EXAMPLE.com/a/../b?c=d#e", {
      allowHttp: false,
      allowedCidrs: [],
      deniedCidrs: [],
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
  ["https://localhost../", "syntax"],
  ["https://db.internal../", "syntax"],
  ["https://.example.com/", "syntax"],
  [`https://example.com/${"a".repeat(2_048)}`, "length"],
])("by default %s breaks the rule %s", (url, rule) => {
  const policy = { allowHttp: false, allowedCidrs: [], deniedCidrs: [] };

  expect(judgeUrl(url, policy)).toMatchObject({ ok: false, rule });
});

test.each([
  [true, "the scheme must be https or http"],
  [false, "the scheme must be https"],
])(
  "with allowHttp %s another scheme is told which are allowed",
  (allowHttp, message) => {
    const policy = { allowHttp, allowedCidrs: [], deniedCidrs: [] };

    expect(judgeUrl("ftp://example.com/", policy)).toMatchObject({
      ok: false,
      rule: "scheme",
      message,
    });
  },
);

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

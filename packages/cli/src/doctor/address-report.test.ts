import { describe, expect, test } from "@jest/globals";
import { parseCidrs, type UrlPolicy } from "@postrider/core";
import { reportAddress, type AddressReport } from "./address-report.ts";

function aPolicy({ allow = "", deny = "", allowHttp = false } = {}): UrlPolicy {
  return {
    allowHttp,
    allowedCidrs: parseCidrs(allow),
    deniedCidrs: parseCidrs(deny),
  };
}

async function report(
  url: string,
  policy: UrlPolicy = aPolicy(),
  addresses: readonly string[] = [],
): Promise<AddressReport> {
  return await reportAddress(url, policy, async () => addresses);
}

const called = ({ addresses }: AddressReport): Record<string, boolean> =>
  Object.fromEntries(
    addresses.map(({ address, mayBeCalled }) => [address, mayBeCalled]),
  );

test("a public name is allowed, and there is nothing to do", async () => {
  const told = await report("https://example.com/", aPolicy(), ["1.1.1.1"]);

  expect(told).toMatchObject({
    verdict: "allowed",
    host: "example.com",
    isLocalName: false,
    urlRefusal: null,
    addresses: [{ address: "1.1.1.1", rule: "public", mayBeCalled: true }],
    next: [],
  });
});

test("of a public name with a private address, too, the public one is called alone", async () => {
  const told = await report("https://example.com/", aPolicy(), [
    "1.1.1.1",
    "10.0.0.1",
  ]);

  expect(told.verdict).toBe("allowed");
  expect(told.why).toContain("only to 1.1.1.1");
  expect(called(told)).toEqual({ "1.1.1.1": true, "10.0.0.1": false });
});

test("a public name that leads to a private address alone is refused, with the block and the setting that allows it", async () => {
  const policy = aPolicy({ allow: "192.168.0.0/16" });

  const told = await report("https://example.com/", policy, ["10.0.0.1"]);

  expect(told.verdict).toBe("refused");
  expect(told.addresses[0]?.why).toBe("private (10.0.0.0/8)");
  expect(told.next.join()).toContain(
    "POSTRIDER_ALLOW_CIDRS=192.168.0.0/16,10.0.0.1 ",
  );
});

test.each(["https://127.1/", "https://2130706433/", "https://0x7f.1/"])(
  "%s is judged as 127.0.0.1, and not looked up",
  async (url) => {
    const told = await reportAddress(url, aPolicy(), () => {
      throw new Error("looked up");
    });

    expect(told).toMatchObject({
      verdict: "refused",
      host: "127.0.0.1",
      urlRefusal: { rule: "address" },
      addresses: [{ address: "127.0.0.1", cidr: "127.0.0.0/8" }],
    });
  },
);

test("a literal IPv6 address is judged without its brackets", async () => {
  expect((await report("https://[2606:4700::1]/")).verdict).toBe("allowed");
  expect((await report("https://[fd00::1]/")).verdict).toBe("refused");
});

test("a denied block wins, and the advice is to take it away, not to allow more", async () => {
  const policy = aPolicy({ allow: "10.0.0.0/8", deny: "10.1.0.0/16" });

  const told = await report("https://db.internal/", policy, ["10.1.0.1"]);

  expect(told).toMatchObject({
    verdict: "refused",
    addresses: [{ rule: "denied_cidr", cidr: "10.1.0.0/16" }],
  });
  expect(told.next).toHaveLength(1);
  expect(told.next[0]).toContain("Take 10.1.0.0/16 out of");
});

test("an address with a zone is refused, and is no block that could be allowed", async () => {
  const addresses = ["fe80::1%eth0", "10.0.0.1"];

  const told = await report("https://example.com/", aPolicy(), addresses);

  expect(told.verdict).toBe("refused");
  expect(told.next.join()).toContain("POSTRIDER_ALLOW_CIDRS=10.0.0.1 ");
});

describe("of an IPv4 address behind NAT64", () => {
  const NAT64 = "64:ff9b::a01:203"; // 10.1.2.3

  test("the denied IPv4 block is named, and is what to take away", async () => {
    const policy = aPolicy({ allow: "64:ff9b::/96", deny: "10.0.0.0/8" });

    const told = await report("https://example.com/", policy, [NAT64]);

    expect(told).toMatchObject({
      verdict: "refused",
      addresses: [{ rule: "denied_cidr", cidr: "10.0.0.0/8" }],
    });
    expect(told.addresses[0]?.why).toBe(
      "10.1.2.3 inside: in 10.0.0.0/8 of POSTRIDER_DENY_CIDRS",
    );
    expect(told.next.join()).toContain("Take 10.0.0.0/8 out of");
  });

  test.each([
    ["64:ff9b::/96", "64:ff9b::/96,10.1.2.3", "10.1.2.3 inside: private"],
    ["", `${NAT64},10.1.2.3`, "not global unicast"],
    ["10.0.0.0/8", `10.0.0.0/8,${NAT64}`, "not global unicast"],
  ])(
    "where %j is allowed, the advice names what to add, and it helps",
    async (allow, advised, why) => {
      const url = "https://example.com/";

      const told = await report(url, aPolicy({ allow }), [NAT64]);

      expect(told.verdict).toBe("refused");
      expect(told.addresses[0]?.why).toContain(why);
      expect(told.next.join()).toContain(`POSTRIDER_ALLOW_CIDRS=${advised} `);
      const mended = await report(url, aPolicy({ allow: advised }), [NAT64]);
      expect(mended.verdict).toBe("allowed");
    },
  );
});

test("a local name needs every address in an allowed block", async () => {
  const policy = aPolicy({ allow: "10.0.0.0/8" });
  const of = async (...addresses: string[]): Promise<string> =>
    (await report("https://db.internal/", policy, addresses)).verdict;

  expect(await of("10.0.0.1", "10.0.0.2")).toBe("allowed");
  expect(await of("10.0.0.1", "1.1.1.1")).toBe("refused");
});

test("a local name where nothing is allowed is refused, and looked up all the same to say what to allow", async () => {
  const told = await report("https://db.internal/", aPolicy(), ["10.0.0.1"]);

  expect(told).toMatchObject({
    verdict: "refused",
    isLocalName: true,
    urlRefusal: { rule: "local_name" },
  });
  expect(told.next.join()).toContain("POSTRIDER_ALLOW_CIDRS=10.0.0.1 ");
});

test("http to a private address needs two settings, and both are named", async () => {
  const told = await report("http://10.0.0.1/");

  expect(told.urlRefusal?.rule).toBe("scheme");
  expect(told.next).toHaveLength(2);
});

test.each([
  "ftp://example.com/",
  "https://user:secret@example.com/",
  "https://example.com:0/",
])("%s can only be corrected, and is not looked up", async (url) => {
  const told = await report(url, aPolicy(), ["1.1.1.1"]);

  expect(told).toMatchObject({
    verdict: "refused",
    host: null,
    addresses: [],
    next: ["Correct the URL. No setting allows it."],
  });
});

test("a name without an address is unresolved, with the resolver's code", async () => {
  const failing = async (): Promise<never> => {
    throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
  };

  const missing = await reportAddress("https://a.example/", aPolicy(), failing);
  const empty = await report("https://a.example/");

  expect(missing.verdict).toBe("unresolved");
  expect(missing.why).toContain("ENOTFOUND");
  expect(empty.verdict).toBe("unresolved");
});

test.each(["169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254"])(
  "%s, where cloud platforms give out credentials, is warned of where it is allowed",
  async (address) => {
    const policy = aPolicy({
      allow: "169.254.0.0/16,64:ff9b::/96,fd00::/8",
    });

    const told = await report("https://example.com/", policy, [address]);

    expect(told.verdict).toBe("allowed");
    expect(told.warnings).toHaveLength(1);
    expect(told.warnings[0]).toContain(`${address} may be called`);
  },
);

test("such an address that is refused is not warned of, and nobody is told to allow it", async () => {
  const told = await report("https://169.254.169.254/");

  expect(told).toMatchObject({ verdict: "refused", warnings: [] });
  expect(told.next).toEqual([
    "Leave 169.254.169.254 refused: cloud platforms give their credentials out at such addresses.",
  ]);
});

test("a password in the URL is not repeated", async () => {
  const told = await report("https://user:secret@example.com/hooks");

  expect(told.url).toBe("https://example.com/hooks");
  expect(JSON.stringify(told)).not.toContain("secret");
});

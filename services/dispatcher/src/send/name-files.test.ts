import { expect, test } from "@jest/globals";
import { parseHosts, parseResolvConf } from "./name-files.ts";

test("every address of a name in a hosts file counts, whatever its case, and comments do not", () => {
  const hosts = parseHosts(`
    127.0.0.1\tlocalhost  LocalHost.localdomain # loopback
    ::1 localhost ip6-localhost
    127.0.0.1 localhost
    # 10.0.0.9 hidden
    fe80::1%lo0 localhost
    no-address odd
    10.0.0.7 Receiver receiver.example.com.
  `);

  expect(Object.fromEntries(hosts)).toEqual({
    localhost: [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ],
    "localhost.localdomain": [{ address: "127.0.0.1", family: 4 }],
    "ip6-localhost": [{ address: "::1", family: 6 }],
    receiver: [{ address: "10.0.0.7", family: 4 }],
    "receiver.example.com": [{ address: "10.0.0.7", family: 4 }],
  });
});

test("resolv.conf as Kubernetes writes it", () => {
  expect(
    parseResolvConf(
      "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
    ),
  ).toEqual({
    servers: ["10.96.0.10"],
    searchDomains: [
      "shop.svc.cluster.local",
      "svc.cluster.local",
      "cluster.local",
    ],
    ndots: 5,
    timeoutMs: 2_000,
    attempts: 3,
  });
});

test.each([
  ["", {}],
  ["# nameserver 1.1.1.1\n; search a", {}],
  ["domain A.example.\n", { searchDomains: ["a.example"] }],
  ["search a b\ndomain c", { searchDomains: ["c"] }],
  ["domain c\nsearch a b", { searchDomains: ["a", "b"] }],
  ["search .", {}],
  ["options ndots:99 timeout:0 attempts:x", { ndots: 15, timeoutMs: 1_000 }],
  ["options timeout:5 attempts:2 rotate", { timeoutMs: 5_000, attempts: 2 }],
  ["nameserver ::1 # here\nnameserver", { servers: ["::1"] }],
])("resolv.conf %j", (text, expected) => {
  expect(parseResolvConf(text)).toEqual({
    servers: [],
    searchDomains: [],
    ndots: 1,
    timeoutMs: 2_000,
    attempts: 3,
    ...expected,
  });
});

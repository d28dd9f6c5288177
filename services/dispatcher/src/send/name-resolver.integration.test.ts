/** Look-ups over real datagrams: a name server on loopback that answers, refuses or stalls, as each test needs. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCidrs } from "@postrider/core";
import {
  startRawReceiver,
  testEffects,
  waitFor,
  type RawReceiver,
} from "@postrider/testkit";
import type { AttemptResult, SendResult } from "./attempt-result.ts";
import { createGuard } from "./guard.ts";
import {
  candidatesOf,
  createNameResolver,
  type Resolve,
} from "./name-resolver.ts";
import { createSender, type Sender } from "./sender.ts";

type Answer = readonly string[] | "NXDOMAIN" | "SERVFAIL" | "stalls";

/** The questions in order of arrival: `A name` or `AAAA name`. */
let asked: string[];
let zone: Record<string, Answer>;
let held: { query: Buffer; port: number; address: string }[];
let server: Socket;
let folder: string;
let sender: Sender;
let receiver: RawReceiver;
let resolve: Resolve;

beforeEach(async () => {
  asked = [];
  zone = {};
  folder = mkdtempSync(join(tmpdir(), "postrider-names-"));
  held = [];
  server = createSocket("udp4", (query, { port, address }) => {
    asked.push(questionOf(query).question);
    held.push({ query, port, address });
    answerHeld();
  });
  await new Promise<void>((done) => server.bind(0, "127.0.0.1", done));
  configure({});
  resolve = createNameResolver({
    hosts: join(folder, "hosts"),
    resolvConf: join(folder, "resolv.conf"),
  });
  const guard = createGuard(
    { allowedCidrs: parseCidrs("127.0.0.0/8,::1/128"), deniedCidrs: [] },
    resolve,
  );
  sender = createSender({ guard, ...testEffects() });
  receiver = await startRawReceiver(async ({ socket, request }) => {
    for (;;) {
      await request();
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
  });
});

afterEach(async () => {
  await sender.stop(Date.now());
  await receiver.close();
  await new Promise<void>((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

function configure({ hosts = "", resolvConf = "options timeout:30" }): void {
  writeFileSync(join(folder, "hosts"), hosts);
  const { port } = server.address();
  writeFileSync(
    join(folder, "resolv.conf"),
    `nameserver 127.0.0.1:${port}\n${resolvConf}\n`,
  );
}

/** Answers what came and, by `zone`, does not stall now. Keys are `name`, or `A name` and `AAAA name` where the families differ. */
function answerHeld(): void {
  held = held.filter(({ query, port, address }) => {
    const { name, question } = questionOf(query);
    const answer = zone[question] ?? zone[name] ?? "NXDOMAIN";
    if (answer === "stalls") return true;
    server.send(answerTo(query, answer), port, address);
    return false;
  });
}

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1) === 28 ? "AAAA" : "A";
  const name = labels.join(".").toLowerCase();
  return { name, type, question: `${type} ${name}`, end: at + 5 } as const;
}

function answerTo(query: Buffer, answer: Answer): Buffer {
  const { type, end } = questionOf(query);
  const records =
    typeof answer === "string"
      ? []
      : answer.filter((each) => each.includes(":") === (type === "AAAA"));
  const header = Buffer.from(query.subarray(0, 12));
  const code = answer === "NXDOMAIN" ? 3 : answer === "SERVFAIL" ? 2 : 0;
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([
    header,
    query.subarray(12, end),
    ...records.map((address) => recordOf(address, type)),
  ]);
}

/** Points back at the question's name; lives for a minute. */
function recordOf(address: string, type: "A" | "AAAA"): Buffer {
  const data =
    type === "A"
      ? Buffer.from(address.split(".").map(Number))
      : Buffer.from(address === "::1" ? [...Array(15).fill(0), 1] : []);
  const head = Buffer.from([0xc0, 12, 0, type === "A" ? 1 : 28, 0, 1]);
  return Buffer.concat([
    head,
    Buffer.from([0, 0, 0, 60, 0, data.length]),
    data,
  ]);
}

const begun = (name: string, timeoutMs: number): Promise<SendResult> =>
  sender.send({
    origin: `http://${name}:${receiver.port}`,
    path: "/",
    method: "POST",
    headers: [],
    body: Buffer.from("{}"),
    timeoutMs,
  });

async function attempt(
  name: string,
  timeoutMs = 10_000,
): Promise<AttemptResult> {
  const result = await begun(name, timeoutMs);
  if (result.kind !== "attempted") throw new Error(result.error);
  return result;
}

const looked = (name: string): Promise<unknown> =>
  new Promise((done) => {
    resolve(name, (error, addresses) =>
      done(
        error === null
          ? addresses.map(({ address }) => address)
          : (error as NodeJS.ErrnoException).code,
      ),
    );
  });

test("300 names that stall do not delay a name that resolves", async () => {
  zone = { "well.example.com": ["127.0.0.1"] };
  const stalling = Array.from({ length: 300 }, (_, n) => `s${n}.example.net`);
  for (const name of stalling) zone[name] = "stalls";
  const stalled: Promise<SendResult>[] = [];
  for (const name of stalling) {
    stalled.push(begun(name, 60_000));
    // No more at once than the server's socket holds.
    if (stalled.length % 50 === 0)
      await waitFor(() => asked.length >= 2 * stalled.length);
  }

  const well = await attempt("well.example.com");

  expect(well).toMatchObject({ outcome: "delivered" });
  expect(sender.stats().inFlight).toBe(300);
  await sender.stop(Date.now());
  await Promise.all(stalled);
});

test("an attempt's deadline cancels the look-up of its name, and a later attempt starts a new look-up", async () => {
  zone = { "stalls.example.com": "stalls" };

  const result = await attempt("stalls.example.com", 300);
  await result.released;
  await waitFor(() => sender.stats().sockets === 0);
  zone = { "stalls.example.com": ["127.0.0.1"] };
  const later = await attempt("stalls.example.com");

  expect(result.outcome).toBe("timeout");
  expect(later.outcome).toBe("delivered");
});

test("a look-up goes on while at least one caller still waits", async () => {
  zone = { "shared.example.com": "stalls" };
  const long = attempt("shared.example.com", 60_000);
  const short = await attempt("shared.example.com", 300);
  await short.released;
  zone = { "shared.example.com": ["127.0.0.1"] };

  answerHeld();

  expect((await long).outcome).toBe("delivered");
  expect(short.outcome).toBe("timeout");
  expect(asked.toSorted()).toEqual([
    "A shared.example.com",
    "AAAA shared.example.com",
  ]);
});

test("who cancels from within another's answer is not called any more", async () => {
  zone = { "shared.example.com": ["127.0.0.1"] };
  const told: string[] = [];
  let cancelSecond: (() => void) | void;

  const third = new Promise<void>((done) => {
    resolve("shared.example.com", () => {
      told.push("first");
      cancelSecond?.();
    });
    cancelSecond = resolve("shared.example.com", () => told.push("second"));
    resolve("shared.example.com", () => {
      told.push("third");
      done();
    });
  });
  await third;

  expect(told).toEqual(["first", "third"]);
});

test("a hosts file that cannot be looked at is as good as none, and never the endpoint's fault", async () => {
  zone = { "name.example.com": ["127.0.0.1"] };
  rmSync(join(folder, "hosts"));
  symlinkSync("hosts", join(folder, "hosts"));

  const result = await attempt("name.example.com");

  expect(result).toMatchObject({ outcome: "delivered" });
});

test("a name that stalls past the resolver's own time-out is a dns_error", async () => {
  configure({ resolvConf: "options timeout:1 attempts:1" });
  zone = { "stalls.example.com": "stalls" };

  const result = await attempt("stalls.example.com", 60_000);

  expect(result).toMatchObject({ outcome: "dns_error", errorCode: "ETIMEOUT" });
});

test.each([
  ["both families, IPv4 first", ["::1", "127.0.0.1"], ["127.0.0.1", "::1"]],
  ["IPv6 only", ["::1"], ["::1"]],
  ["several", ["127.0.0.1", "127.0.0.2"], ["127.0.0.1", "127.0.0.2"]],
  ["no address", [], "ENODATA"],
  ["no such name", "NXDOMAIN", "ENOTFOUND"],
  ["a server that fails", "SERVFAIL", "ESERVFAIL"],
] as const)("a name with %s", async (_what, answer, expected) => {
  zone = { "name.example.com": answer };

  const result = await looked("name.example.com");

  expect(result).toEqual(expected);
});

test("a family that stalls does not hold up the other for long", async () => {
  zone = {
    "A half.example.com": ["127.0.0.1"],
    "AAAA half.example.com": "stalls",
  };

  const result = await attempt("half.example.com", 20_000);

  expect(result).toMatchObject({ outcome: "delivered" });
  expect(result.dnsMs).toBeLessThan(20_000);
});

test("names of the hosts file and localhost are never asked of DNS, and a change of the file is seen", async () => {
  configure({ hosts: "127.0.0.1 receiver receiver.example.com # ours" });

  const known = await attempt("receiver.example.com");
  const upper = await looked("RECEIVER");
  const localhost = await looked("localhost");
  const under = await looked("app.localhost");
  configure({ hosts: "127.0.0.3 receiver" });
  const changed = await looked("receiver");

  expect(known.outcome).toBe("delivered");
  expect(upper).toEqual(["127.0.0.1"]);
  expect(localhost).toEqual(["127.0.0.1", "::1"]);
  expect(under).toEqual(["127.0.0.1", "::1"]);
  expect(changed).toEqual(["127.0.0.3"]);
  expect(asked).toEqual([]);
});

test("a change of resolv.conf counts from the next look-up on", async () => {
  zone = { "name.example.com": ["127.0.0.1"] };
  // Of another length than the change: the file system's clock may not tell two writes apart.
  configure({ resolvConf: "search elsewhere.example" });
  const before = await looked("name");
  configure({ resolvConf: "search example.com" });

  const after = await looked("name");

  expect([before, after]).toEqual(["ENOTFOUND", ["127.0.0.1"]]);
});

const search = {
  searchDomains: ["shop.svc.cluster.local", "svc.cluster.local"],
  ndots: 3,
};

test.each([
  ["api", ["api.shop.svc.cluster.local", "api.svc.cluster.local", "api"]],
  [
    "api.shop",
    [
      "api.shop.shop.svc.cluster.local",
      "api.shop.svc.cluster.local",
      "api.shop",
    ],
  ],
  [
    "a.b.example.com",
    [
      "a.b.example.com",
      "a.b.example.com.shop.svc.cluster.local",
      "a.b.example.com.svc.cluster.local",
    ],
  ],
  ["example.com.", ["example.com"]],
])("%s is looked up as %j", (hostname, expected) => {
  expect(candidatesOf(hostname, search)).toEqual(expected);
});

test("a service is found through its search domains, in order", async () => {
  configure({ resolvConf: "search a.local b.local\noptions ndots:5" });
  zone = { "api.shop.b.local": ["127.0.0.1"], "api.shop": ["127.0.0.2"] };

  const result = await looked("api.shop");

  expect(result).toEqual(["127.0.0.1"]);
  expect(new Set(asked.map((each) => each.split(" ")[1]))).toEqual(
    new Set(["api.shop.a.local", "api.shop.b.local"]),
  );
});

test("for a name without addresses the most serious failure is reported, and a silent server ends the search", async () => {
  configure({
    resolvConf: "search a.local b.local\noptions ndots:5 timeout:1 attempts:1",
  });
  zone = { "one.a.local": "SERVFAIL", "two.a.local": "stalls" };

  expect(await looked("one")).toBe("ESERVFAIL");
  expect(await looked("two")).toBe("ETIMEOUT");
  expect(asked.filter((each) => each.includes("two.b"))).toEqual([]);
});

test("a name that c-ares refuses to look up is a dns_error", async () => {
  expect(await looked(`${"a".repeat(64)}.example.com`)).toBe("EBADNAME");
  const result = await attempt(`${"a".repeat(64)}.example.com`);
  expect(result.outcome).toBe("dns_error");
});

test("a name server that refuses is a dns_error", async () => {
  writeFileSync(
    join(folder, "resolv.conf"),
    `nameserver 127.0.0.1:1\noptions timeout:1 attempts:1\n`,
  );

  expect((await attempt("name.example.com")).outcome).toBe("dns_error");
});

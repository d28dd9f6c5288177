/** A refused address gets no connection, which a listener on it proves. */
import { afterEach, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import { judgeUrl, parseCidrs } from "@postrider/core";
import { testEffects, waitFor } from "@postrider/testkit";
import type { AttemptResult } from "./attempt-result.ts";
import { classifyError } from "./classify-failure.ts";
import { createGuard } from "./guard.ts";
import type { Resolve } from "./name-resolver.ts";
import { createSender, type Sender } from "./sender.ts";

const { clock, log, meter } = testEffects();

const senders: Sender[] = [];
const servers: TcpServer[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const sender of senders.splice(0)) await sender.stop(Date.now());
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

function aSender({
  allow = "",
  deny = "",
  resolve,
}: {
  allow?: string;
  deny?: string;
  resolve?: Resolve;
}): Sender {
  const policy = {
    allowedCidrs: parseCidrs(allow),
    deniedCidrs: parseCidrs(deny),
  };
  const guard = createGuard(policy, resolve);
  const sender = createSender({ guard, clock, log, meter });
  senders.push(sender);
  return sender;
}

async function attempt(
  sender: Sender,
  origin: string,
  timeoutMs = 20_000,
): Promise<AttemptResult> {
  const result = await sender.send({
    origin,
    path: "/",
    method: "POST",
    headers: [],
    body: Buffer.from("{}"),
    timeoutMs,
  });
  if (result.kind !== "attempted")
    throw new Error(`a local fault: ${result.error}`);
  return result;
}

async function listening<T extends TcpServer>(
  server: T,
  host = "127.0.0.1",
): Promise<number> {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  return (server.address() as AddressInfo).port;
}

async function aListener(): Promise<{
  port: number;
  connections: () => number;
}> {
  let connections = 0;
  const server: Server = createServer((_request, response) =>
    response.end("ok"),
  );
  server.on("connection", () => (connections += 1));
  return { port: await listening(server), connections: () => connections };
}

const resolvesTo =
  (...addresses: string[]): Resolve =>
  (_hostname, done) =>
    queueMicrotask(() =>
      done(
        null,
        addresses.map((address) => ({
          address,
          family: address.includes(":") ? 6 : 4,
        })),
      ),
    );

test("a literal address that is refused is blocked and gets no connection", async () => {
  const { port, connections } = await aListener();
  const sender = aSender({});

  for (const host of [
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "127.1",
    "0",
  ]) {
    const { origin } = new URL(`http://${host}:${port}`);
    expect(await attempt(sender, origin)).toMatchObject({
      outcome: "blocked",
      statusCode: null,
    });
  }

  expect(connections()).toBe(0);
});

test("a name that resolves to a refused address is blocked and gets no connection", async () => {
  const { port, connections } = await aListener();
  const sender = aSender({ resolve: resolvesTo("127.0.0.1") });

  const result = await attempt(sender, `http://receiver.example.com:${port}`);

  expect(result.outcome).toBe("blocked");
  expect(result.error).not.toContain("127.0.0.1");
  expect(connections()).toBe(0);
});

test("a name that resolves to a public and a refused address is never called at the refused one", async () => {
  const { port, connections } = await aListener();
  const sender = aSender({
    resolve: resolvesTo("198.51.100.7", "127.0.0.1"),
    allow: "198.51.100.0/24",
  });

  const result = await attempt(
    sender,
    `http://rebinding.example.com:${port}`,
    200,
  );

  expect(result.outcome).not.toBe("delivered");
  expect(connections()).toBe(0);
});

test.each(["http", "https"])(
  "a %s socket that is connected to a refused address is closed before anything is sent",
  async (scheme) => {
    const ended: number[] = [];
    const server = createTcpServer((socket) => {
      let bytes = 0;
      socket.on("data", (chunk) => (bytes += chunk.length));
      socket.on("close", () => ended.push(bytes));
    });
    const port = await listening(server);
    const guard = createGuard({ allowedCidrs: [], deniedCidrs: [] });
    // A lookup that returns an address past the guard's filter, as with DNS rebinding.
    const lying = { ...guard, lookup: aSystemLookupOf("127.0.0.1") };
    const sender = createSender({ guard: lying, clock, log, meter });
    senders.push(sender);
    const url = `${scheme}://rebinding.example.com:${port}`;

    const { outcome, remoteAddress } = await attempt(sender, url);

    expect([outcome, remoteAddress]).toEqual(["blocked", null]);
    await waitFor(() => ended.length === 1);
    expect(ended).toEqual([0]);
  },
);

function aSystemLookupOf(
  address: string,
): ReturnType<typeof createGuard>["lookup"] {
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
}

test("a name that resolves to an allowed address and then to 127.0.0.1 gets one request at the first and none at the second", async () => {
  // One port on all addresses of this machine: 127.0.0.2 stands for a public one.
  const reached: (string | undefined)[] = [];
  const server = createServer((_request, response) => {
    response.setHeader("connection", "close").end("ok");
  });
  server.on("connection", (socket) => reached.push(socket.localAddress));
  const port = await listening(server, "0.0.0.0");
  const answers = ["127.0.0.2", "127.0.0.1"];
  const rebinding: Resolve = (hostname, done) =>
    resolvesTo(answers.shift() ?? "127.0.0.1")(hostname, done);
  const sender = aSender({ resolve: rebinding, allow: "127.0.0.2" });
  const origin = `http://rebinding.example.com:${port}`;

  const outcomes = [];
  for (let n = 0; n < 3; n += 1)
    outcomes.push((await attempt(sender, origin, 5_000)).outcome);

  expect(outcomes).toEqual(["delivered", "blocked", "blocked"]);
  expect(reached).toEqual(["127.0.0.2"]);
});

test("a denied address is refused as a literal, as a name's and as a local name's, though its block is allowed", async () => {
  const { port, connections } = await aListener();
  const sender = aSender({
    allow: "127.0.0.0/8, ::1",
    deny: "127.0.0.1",
    resolve: resolvesTo("127.0.0.1"),
  });

  for (const host of [
    "127.0.0.1",
    "2130706433",
    "[::ffff:127.0.0.1]",
    "public.example.com",
    "receiver",
    "db.internal",
  ]) {
    const { origin } = new URL(`http://${host}:${port}`);
    expect([host, (await attempt(sender, origin)).outcome]).toEqual([
      host,
      "blocked",
    ]);
  }

  expect(connections()).toBe(0);
});

test("a socket that is connected to a denied address is refused, for public and local names", () => {
  const guard = createGuard({
    allowedCidrs: parseCidrs("0.0.0.0/0, ::/0"),
    deniedCidrs: parseCidrs("10.0.0.0/8"),
  });

  for (const name of ["name.example.com", "db.internal", "10.0.0.1"]) {
    expect(guard.refuseConnected("::ffff:10.0.0.1", name)).not.toBeNull();
    expect(guard.refuseConnected("11.0.0.1", name)).toBeNull();
  }
});

test("a denied or special IPv4 address behind the allowed NAT64 prefix is refused as a literal, as a name's and as a connected address", async () => {
  const allow = "64:ff9b::/96";
  const deny = "8.8.0.0/16";
  const guard = createGuard({
    allowedCidrs: parseCidrs(allow),
    deniedCidrs: parseCidrs(deny),
  });

  for (const address of ["64:ff9b::a9fe:a9fe", "64:ff9b::8.8.8.8"]) {
    const sender = aSender({ allow, deny, resolve: resolvesTo(address) });
    const byName = await attempt(sender, "http://name.example.com");
    const byLiteral = await attempt(sender, `http://[${address}]`);

    expect([byName.outcome, byLiteral.outcome]).toEqual(["blocked", "blocked"]);
    expect(byName.error).toBe("the address is not allowed");
    expect(guard.refuseConnected(address, "name.example.com")).not.toBeNull();
  }
  expect(guard.refuseConnected("64:ff9b::1.1.1.1", "name.example.com")).toBe(
    null,
  );
});

test("a local name passes only when every address it resolves to lies in the allowed CIDRs", async () => {
  const { port, connections } = await aListener();
  const inside = aSender({
    resolve: resolvesTo("127.0.0.1"),
    allow: "127.0.0.0/8",
  });
  const mixed = aSender({
    resolve: resolvesTo("127.0.0.1", "1.1.1.1"),
    allow: "127.0.0.0/8",
  });
  const outside = aSender({
    resolve: resolvesTo("1.1.1.1"),
    allow: "127.0.0.0/8",
  });

  expect((await attempt(inside, `http://receiver:${port}`)).outcome).toBe(
    "delivered",
  );
  expect((await attempt(mixed, `http://receiver:${port}`)).outcome).toBe(
    "blocked",
  );
  expect(
    (await attempt(outside, `http://receiver.internal:${port}`)).outcome,
  ).toBe("blocked");
  expect(connections()).toBe(1);
});

test("a name that does not resolve and a resolver that stalls have different outcomes", async () => {
  const failing =
    (code: string): Resolve =>
    (hostname, done) =>
      queueMicrotask(() =>
        done(
          Object.assign(new Error(`${code} ${hostname}`), {
            code,
            syscall: "getaddrinfo",
          }),
          [],
        ),
      );
  const of = async (resolve: Resolve, timeoutMs?: number): Promise<string> =>
    (await attempt(aSender({ resolve }), "http://name.example.com", timeoutMs))
      .outcome;

  expect(await of(failing("ENOTFOUND"))).toBe("dns_error");
  expect(await of(failing("ESERVFAIL"))).toBe("dns_error");
  expect(await of(failing("EAI_AGAIN"))).toBe("dns_error");
  expect(await of(resolvesTo())).toBe("dns_error");
  expect(await of(() => {}, 150)).toBe("timeout");
});

test("a name with a thousand addresses that refuse takes no longer than the deadline", async () => {
  const closed = createTcpServer();
  const port = await listening(closed);
  await new Promise((done) => closed.close(done));
  const addresses = Array.from(
    { length: 1_000 },
    (_, n) => `127.1.${n >> 8}.${n & 255}`,
  );
  const sender = aSender({
    resolve: resolvesTo(...addresses),
    allow: "127.0.0.0/8",
  });

  const result = await attempt(
    sender,
    `http://many.example.com:${port}`,
    1_000,
  );

  expect(["timeout", "connection_refused"]).toContain(result.outcome);
  // A quarter of a second for each address would be minutes.
  expect(result.durationMs).toBeLessThan(20_000);
});

test("of a name with a thousand addresses, a few of each family are tried", () => {
  const names = Array.from({ length: 1_000 }, (_, n) => `${n >> 8}.${n & 255}`);
  const found = [
    ...names.map((name) => ({ address: `8.8.${name}`, family: 4 })),
    ...names.map((name) => ({
      address: `2600::${name.replace(".", ":")}`,
      family: 6,
    })),
  ];
  const policy = { allowedCidrs: [], deniedCidrs: [] };
  const guard = createGuard(policy, (_name, done) => done(null, found));
  let tried: unknown = null;

  guard.lookup("many.example.com", { all: true }, (_error, addresses) => {
    tried = addresses;
  });

  expect(tried).toEqual([...found.slice(0, 8), ...found.slice(1_000, 1_008)]);
});

test("an attempt that times out in name resolution sends nothing when the name resolves later, and its socket is gone", async () => {
  const { port, connections } = await aListener();
  let answer: () => void = () => {};
  const late: Resolve = (_hostname, done) => {
    answer = () => done(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  const sender = aSender({ resolve: late, allow: "127.0.0.0/8" });

  const result = await attempt(sender, `http://slow.example.com:${port}`, 100);
  await result.released;
  answer();
  await new Promise((resume) => setTimeout(resume, 50));

  expect(result.outcome).toBe("timeout");
  expect(connections()).toBe(0);
  expect(sender.stats()).toEqual({ sockets: 0, inFlight: 0 });
});

interface AddressVectors {
  readonly blocked: readonly { readonly address: string }[];
  readonly allowed: readonly string[];
  readonly hostAfterParsing: readonly {
    readonly url: string;
    readonly hostname: string;
  }[];
  readonly refusedUrls: readonly { readonly url: string }[];
}

const vectors = JSON.parse(
  readFileSync(
    new URL(
      "../../../../packages/core/vectors/addresses.json",
      import.meta.url,
    ),
    "utf8",
  ),
) as AddressVectors;

test("every blocked address is refused as a literal, as a resolved and as a connected address, and every allowed one passes", async () => {
  const guard = createGuard({ allowedCidrs: [], deniedCidrs: [] });
  const looked = (address: string): Promise<string> =>
    new Promise((resolve) => {
      const of = createGuard(
        { allowedCidrs: [], deniedCidrs: [] },
        resolvesTo(address),
      );
      of.lookup("name.example.com", { all: true }, (error) =>
        resolve(error?.code ?? "passed"),
      );
    });

  for (const { address } of vectors.blocked) {
    expect([address, guard.refuseHost(address) !== null]).toEqual([
      address,
      true,
    ]);
    expect([address, await looked(address)]).toEqual([
      address,
      "POSTRIDER_BLOCKED",
    ]);
    expect([
      address,
      guard.refuseConnected(address, "name.example.com") !== null,
    ]).toEqual([address, true]);
  }
  for (const address of vectors.allowed) {
    expect([address, guard.refuseHost(address)]).toEqual([address, null]);
    expect([address, await looked(address)]).toEqual([address, "passed"]);
    expect([
      address,
      guard.refuseConnected(address, "name.example.com"),
    ]).toEqual([address, null]);
  }
});

test("a socket without a remote address is not used and counts as reset, so that the delivery is retried", () => {
  const guard = createGuard({ allowedCidrs: [], deniedCidrs: [] });

  const refusal = guard.refuseConnected(undefined, "name.example.com");

  expect(classifyError(refusal)).toMatchObject({ outcome: "connection_reset" });
});

test("every spelling of a host is judged after parsing, and every refused URL is refused", () => {
  const policy = { allowHttp: true, allowedCidrs: [], deniedCidrs: [] };

  for (const { url, hostname } of vectors.hostAfterParsing) {
    expect([url, new URL(url).hostname]).toEqual([url, hostname]);
    const isName = hostname.endsWith(".nip.example");
    expect([url, judgeUrl(url, policy).ok]).toEqual([url, isName]);
  }
  for (const { url } of vectors.refusedUrls) {
    expect([url, judgeUrl(url, policy).ok]).toEqual([url, false]);
  }
});

test("a handshake that stalls is a timeout, and one that is cut is a closed connection", async () => {
  const stalling = await listening(createTcpServer(() => {}));
  const cutting = await listening(
    createTcpServer((socket) => void socket.end()),
  );
  const sender = aSender({ allow: "127.0.0.0/8" });

  expect(
    (await attempt(sender, `https://127.0.0.1:${stalling}`, 200)).outcome,
  ).toBe("timeout");
  expect((await attempt(sender, `https://127.0.0.1:${cutting}`)).outcome).toBe(
    "connection_closed",
  );
});

test("plain HTTP behind https is a tls_error", async () => {
  const { port } = await aListener();

  expect(
    (
      await attempt(
        aSender({ allow: "127.0.0.0/8" }),
        `https://127.0.0.1:${port}`,
      )
    ).outcome,
  ).toBe("tls_error");
});

/**
 * Each misbehaviour that `postrider receiver` offers, against the real sender over a real socket: one result with the
 * outcome that the help promises, by the deadline, and nothing left behind.
 */
import { afterEach, expect, test } from "@jest/globals";
import { Worker } from "node:worker_threads";
import { connect, isIP, type Socket } from "node:net";
import { parseCidrs, parseRetryAfter } from "@postrider/core";
import {
  MISBEHAVIOUR_NAMES,
  MISBEHAVIOURS,
  startRawReceiver,
  startReceiver,
  testEffects,
  waitFor,
  type MisbehaviourName,
} from "@postrider/testkit";
import type { AttemptResult } from "./send/attempt-result.ts";
import { createGuard } from "./send/guard.ts";
import { createSender, type Sender } from "./send/sender.ts";

const { clock, log, meter } = testEffects();
/** For what ends by its deadline alone. */
const SHORT_MS = 400;
/** For all else: a busy machine must not make time-outs of it. */
const LONG_MS = 20_000;
const BODY = Buffer.from('{"hello":"world"}');

const undo: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function aSender(ca?: string): Sender {
  const guard = createGuard({
    allowedCidrs: parseCidrs("127.0.0.0/8"),
    deniedCidrs: [],
  });
  const sender = createSender({
    guard,
    clock,
    log,
    meter,
    ...(ca === undefined ? {} : { ca }),
  });
  undo.push(() => sender.stop(Date.now()));
  return sender;
}

/** The URL of a receiver that misbehaves, and its certificate. */
async function misbehaving(
  name: MisbehaviourName,
): Promise<{ url: string; cert: string | undefined }> {
  const { behave, tls } = MISBEHAVIOURS[name];
  const made = tls?.();
  const receiver = await startRawReceiver(behave, { tls: made });
  undo.push(() => receiver.close());
  const cert = typeof made === "object" ? made.cert?.toString() : undefined;
  return { url: receiver.url, cert };
}

async function attempt(
  sender: Sender,
  origin: string,
  { body = BODY, timeoutMs = LONG_MS } = {},
): Promise<AttemptResult> {
  const result = await sender.send({
    origin,
    path: "/hook?a=b",
    method: "POST",
    headers: ["content-type", "application/json"],
    body,
    timeoutMs,
  });
  if (result.kind !== "attempted")
    throw new Error(`a local fault: ${result.error}`);
  return result;
}

/** The status that is read, and whether the attempt's `error` notes a flaw, where it is not 200 without one. Without a status there is always an error. */
const SHOWN: Readonly<
  Partial<Record<MisbehaviourName, { status?: number | null; flaw?: boolean }>>
> = {
  "hang-before-body": { flaw: true },
  "dripping-body": { flaw: true },
  "dripping-chunks": { flaw: true },
  "close-in-body": { flaw: true },
  "reset-in-body": { flaw: true },
  "status-999": { status: 999 },
  gone: { status: 410 },
  "early-413": { status: 413 },
  "redirect-301": { status: 301 },
  "redirect-302": { status: 302 },
  "redirect-303": { status: 303 },
  "redirect-307": { status: 307 },
  "redirect-308": { status: 308 },
  "redirect-to-itself": { status: 302 },
  "retry-after-seconds": { status: 429 },
  "retry-after-date": { status: 503 },
  "retry-after-negative": { status: 429 },
  "retry-after-10-years": { status: 503 },
  "retry-after-garbage": { status: 503 },
  "length-and-chunks": { flaw: true },
  "two-lengths": { flaw: true },
  "length-of-20-digits": { flaw: true },
  "negative-length": { flaw: true },
  "204-with-body": { status: 204, flaw: true },
  "bad-chunk": { status: 500, flaw: true },
  "line-feeds-only": { flaw: true },
  "folded-header": { flaw: true },
  "nul-in-header": { flaw: true },
  "header-of-20-kb": { flaw: true },
  "3000-headers": { flaw: true },
  "bytes-after-body": { flaw: true },
};

function timeoutMsOf(name: MisbehaviourName): number {
  return MISBEHAVIOURS[name].outcome === "timeout" ? SHORT_MS : LONG_MS;
}

/** Outcomes of an answer whose status was read. */
const WITH_STATUS: ReadonlySet<string> = new Set([
  "delivered",
  "http_error",
  "redirect",
]);

test.each(MISBEHAVIOUR_NAMES)("%s", async (name) => {
  const sender = aSender();
  const { url } = await misbehaving(name);
  const { outcome } = MISBEHAVIOURS[name];

  const result = await attempt(sender, url, { timeoutMs: timeoutMsOf(name) });

  const { status = 200, flaw = false } = SHOWN[name] ?? {};
  const hasStatus = WITH_STATUS.has(outcome);
  expect({
    outcome: result.outcome,
    statusCode: result.statusCode,
    isNoted: result.error !== null,
  }).toEqual({
    outcome,
    statusCode: hasStatus ? status : null,
    isNoted: flaw || !hasStatus,
  });
  expect(result.responseBody.length).toBeLessThanOrEqual(16_384);
  // All sockets are closed, or one rests for the next request.
  await waitFor(
    () => sender.stats().sockets <= 1 && sender.stats().inFlight === 0,
  );
});

test("an endpoint among all of these gets its answers as if they were not there", async () => {
  const sender = aSender();
  const healthy = await startReceiver();
  undo.push(() => healthy.close());
  const { url } = healthy;
  const hostile = await Promise.all(MISBEHAVIOUR_NAMES.map(misbehaving));

  const theirs = MISBEHAVIOUR_NAMES.map(async (name, at) => {
    const timeoutMs = timeoutMsOf(name);
    return await attempt(sender, hostile[at]?.url ?? "", { timeoutMs });
  });
  const ours: AttemptResult[] = [];
  for (let n = 0; n < 50; n += 1) ours.push(await attempt(sender, url));
  const outcomes = (await Promise.all(theirs)).map(({ outcome }) => outcome);

  expect(new Set(ours.map(({ outcome }) => outcome))).toEqual(
    new Set(["delivered"]),
  );
  expect(outcomes).toEqual(
    MISBEHAVIOUR_NAMES.map((name) => MISBEHAVIOURS[name].outcome),
  );
  expect(healthy.requests).toHaveLength(50);
});

test.each([
  ["retry-after-seconds", 60_000],
  ["retry-after-negative", undefined],
  ["retry-after-10-years", 24 * 3_600_000],
  ["retry-after-garbage", undefined],
] as const)("%s asks for a wait of %s ms", async (name, waitMs) => {
  const { url } = await misbehaving(name);

  const { retryAfter } = await attempt(aSender(), url);

  expect(parseRetryAfter(retryAfter ?? undefined, Date.now())).toBe(waitMs);
});

test("retry-after-date asks for a wait of a minute", async () => {
  const askedAt = Date.now();
  const { url } = await misbehaving("retry-after-date");

  const { retryAfter } = await attempt(aSender(), url);

  const waitMs = parseRetryAfter(retryAfter ?? undefined, askedAt) ?? 0;
  expect(waitMs).toBeGreaterThan(58_000); // the header has whole seconds
});

test.each([
  ["tls-self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT", false],
  ["tls-expired", "CERT_HAS_EXPIRED", true],
  ["tls-wrong-host", "ERR_TLS_CERT_ALTNAME_INVALID", true],
] as const)(
  "%s is refused for what its name says",
  async (name, errorCode, isTrusted) => {
    const { url, cert } = await misbehaving(name);

    const result = await attempt(aSender(isTrusted ? cert : undefined), url);

    expect(result).toMatchObject({
      outcome: "tls_error",
      errorCode,
      remoteAddress: null, // no request was sent
    });
  },
);

test("a certificate that is trusted, valid and for this host is delivered to, with the handshake timed", async () => {
  const { url, cert } = await misbehaving("tls-self-signed");

  const result = await attempt(aSender(cert), url);

  expect(result).toMatchObject({ outcome: "delivered", statusCode: 200 });
  expect(isIP(result.remoteAddress ?? "")).not.toBe(0);
  expect(result.tlsMs).toBeGreaterThan(0);
});

test("tls-client-certificate fails although its own certificate is trusted", async () => {
  const { url, cert } = await misbehaving("tls-client-certificate");

  const result = await attempt(aSender(cert), url);

  // The alert and the end of the connection race each other.
  expect(["tls_error", "connection_reset", "connection_closed"]).toContain(
    result.outcome,
  );
});

test("reset-when-reused costs a second request over a fresh connection, in the same attempt", async () => {
  const held = { at: 1_000 };
  const guard = createGuard({
    allowedCidrs: parseCidrs("127.0.0.0/8"),
    deniedCidrs: [],
  });
  // A clock that stands still: on a slow machine the reset would come later than a dead idle connection's.
  const still = { ...clock, monotonic: () => held.at };
  const sender = createSender({ guard, clock: still, log, meter });
  undo.push(() => sender.stop(Date.now()));
  const { url } = await misbehaving("reset-when-reused");
  await attempt(sender, url);

  const second = await attempt(sender, url);

  expect(second).toMatchObject({ outcome: "delivered", isReused: false });
  expect(second.error).toMatch(/^sent twice/);
});

test("bytes-after-body is never taken for the next answer", async () => {
  const sender = aSender();
  const { url } = await misbehaving("bytes-after-body");

  const results = [];
  for (let n = 0; n < 3; n += 1) results.push(await attempt(sender, url));

  expect(results.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
});

test("early-413 decides while a large request is still being written", async () => {
  const { url } = await misbehaving("early-413");

  const result = await attempt(aSender(), url, {
    body: Buffer.alloc(786_432, "x"),
  });

  expect(result).toMatchObject({ outcome: "http_error", statusCode: 413 });
});

test("a gzip bomb stays compressed", async () => {
  const { url } = await misbehaving("gzip-bomb");

  const { responseBody, responseBytes } = await attempt(aSender(), url);

  expect(responseBody.subarray(0, 2).toString("hex")).toBe("1f8b");
  expect(responseBytes).toBeLessThan(64 * 1024);
});

test("an address that does not answer a SYN is a timeout", async () => {
  const port = await deafPort();
  const sender = aSender();

  const result = await attempt(sender, `http://127.0.0.1:${port}`, {
    timeoutMs: SHORT_MS,
  });

  expect(result).toMatchObject({ outcome: "timeout", statusCode: null });
  await waitFor(() => sender.stats().sockets === 0);
});

/** A port whose listener accepts nothing and whose queue is full: the kernel drops further SYNs. */
async function deafPort(): Promise<number> {
  const worker = new Worker(
    `const { createServer } = require("node:net");
     const { parentPort } = require("node:worker_threads");
     const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       // Blocks this thread for good, and at once: one more turn of its loop could accept what waits.
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  undo.push(() => worker.terminate());
  const port = await new Promise<number>((resolve) =>
    worker.once("message", resolve),
  );
  const waiting: Socket[] = Array.from({ length: 8 }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    return socket;
  });
  undo.push(() => {
    for (const socket of waiting) socket.destroy();
  });
  await waitFor(
    () => waiting.filter((socket) => !socket.connecting).length > 1,
  );
  return port;
}

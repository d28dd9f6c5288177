/** A sender that has no descriptor left: it runs in its own process under `ulimit -n`, against a receiver in this process. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const fixture = fileURLToPath(
  new URL("../../fixtures/few-descriptors.ts", import.meta.url),
);
const DESCRIPTORS = 80;

interface Seen {
  readonly results: readonly string[];
  readonly logged: readonly string[];
  readonly metrics: readonly string[];
  readonly sockets: number;
}

let receiver: Server;
let port: number;
let names: Socket;
let folder: string;

beforeEach(async () => {
  receiver = createServer((request, response) => {
    request.resume().on("end", () => response.end("ok"));
  });
  // Longer than the test: only the sender closes a connection that rests.
  receiver.keepAliveTimeout = 600_000;
  await new Promise<void>((done) => receiver.listen(0, "0.0.0.0", done));
  port = (receiver.address() as AddressInfo).port;
  names = createSocket("udp4", (query, from) => {
    names.send(loopbackFor(query), from.port, from.address);
  });
  await new Promise<void>((done) => names.bind(0, "127.0.0.1", done));
  folder = mkdtempSync(join(tmpdir(), "postrider-descriptors-"));
  writeFileSync(
    join(folder, "resolv.conf"),
    `nameserver 127.0.0.1:${names.address().port}\n`,
  );
});

afterEach(async () => {
  receiver.closeAllConnections();
  await new Promise((done) => receiver.close(done));
  await new Promise<void>((done) => names.close(done));
  rmSync(folder, { recursive: true });
});

/** A DNS answer to any query: 127.0.0.1, and no IPv6 address. */
function loopbackFor(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const isA = query.readUInt16BE(end - 4) === 1;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(isA ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];
  return Buffer.concat([
    header,
    query.subarray(12, end),
    Buffer.from(isA ? record : []),
  ]);
}

async function run(mode: string, origins: readonly string[]): Promise<Seen> {
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    `ulimit -n ${DESCRIPTORS} && exec "$@"`,
    "sh",
    process.execPath,
    fixture,
    mode,
    join(folder, "resolv.conf"),
    ...origins,
  ]);
  return JSON.parse(stdout) as Seen;
}

const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `http://127.0.1.${n + 1}:${port}`);

test.each([
  ["addresses", (count: number) => addresses(count)],
  [
    "names",
    (count: number) =>
      Array.from(
        { length: count },
        (_, n) => `http://e${n}.example.com:${port}`,
      ),
  ],
])(
  "more endpoints by %s than descriptors are all delivered to: connections that rest make room",
  async (_what, originsOf) => {
    const { results, logged, metrics } = await run(
      "one by one",
      originsOf(200),
    );

    expect(new Set(results)).toEqual(new Set(["delivered"]));
    expect(results).toHaveLength(200);
    expect(logged).toContain("sender.madeRoom");
    expect(metrics.join()).toMatch(/why="descriptors".*[1-9]/);
  },
);

test("concurrent attempts without a descriptor are local faults, never the endpoint's failure", async () => {
  const { results } = await run("at once", addresses(200));

  expect(results).toHaveLength(200);
  for (const result of results)
    expect(result).toMatch(/^(delivered|local_fault (EMFILE|ENFILE|ENOBUFS))$/);
  expect(results).toContain("delivered");
});

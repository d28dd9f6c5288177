/** Encryption keys that change in their file while the services run as processes: added, put first, taken out, given back. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startServices, type RunningServices } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { verify } from "@postrider/signing";
import {
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";

const TIERS = "1s,2s";
const LONG = 120_000;
const SERVICES = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "control",
] as const;
const stack = useStack();
const folder = mkdtempSync(join(tmpdir(), "postrider-keys-"));
const file = join(folder, "keys");
const [K1, K2] = ["k1", "k2"].map(
  (kid) => `${kid}:${randomBytes(32).toString("base64")}`,
) as [string, string];
let running: RunningServices;
let receiver: Receiver;

beforeAll(async () => {
  writeFileSync(file, K1);
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  receiver = await startReceiver();
  running = await startServices({
    ...stack.forServices,
    services: SERVICES,
    encryptionKeys: "",
    adminKey: "admin",
    logDirectory: folder,
    env: {
      POSTRIDER_ENCRYPTION_KEYS_FILE: file,
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
}, LONG);
afterAll(async () => {
  await running?.stop();
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
}, LONG);

async function call<T>(
  url: string,
  body: unknown,
  method = "POST",
): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: "Bearer admin",
      "content-type": "application/json",
      "if-match": "*",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

let published = 0;
async function publish(fields: object = {}): Promise<string> {
  const id = `evt_${(published += 1)}`;
  const event = { id, type: "order.paid", tenantId: "acme", payload: id };
  await call(`${running.ingestUrl}/v1/events`, { ...event, ...fields });
  return id;
}

const requestOf = (id: string) => (request: { readonly body: Buffer }) =>
  request.body.toString() === JSON.stringify(id);

/** Resolves once the event came, signed with the secret. */
async function arrives(
  id: string,
  secret: string,
  timeoutMs = 30_000,
): Promise<void> {
  await receiver.waitForRequests(1, { where: requestOf(id), timeoutMs });
  const { headers, body } = receiver.requests.find(requestOf(id))!;
  expect(verify({ headers, body, secrets: [secret] })).toMatchObject({
    ok: true,
  });
}

/** The lines of a service's metrics about a key. */
async function positions(adminUrl: string): Promise<string[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return [
    ...text.matchAll(
      /^postrider_encryption_key_position\{key="(k\d)".*\} (\d)$/gm,
    ),
  ].map(([, kid, at]) => `${kid}=${at}`);
}

/** Writes the file, and waits until each service that opens or seals has read it. */
async function setKeys(text: string, expected: readonly string[]) {
  writeFileSync(file, text);
  const holders = running.services.filter(
    ({ name }) => name !== "retry-scheduler",
  );
  await waitFor(async () => {
    const all = await Promise.all(
      holders.map(({ adminUrl }) => positions(adminUrl)),
    );
    return all.every((each) => each.toSorted().join() === expected.join());
  });
}

async function postrider(...args: readonly string[]): Promise<string> {
  const bin = fileURLToPath(
    new URL("../packages/cli/bin/postrider.js", import.meta.url),
  );
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [bin, ...args],
    {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        POSTRIDER_CONTROL_URL: running.controlUrl,
        POSTRIDER_INGEST_URL: running.ingestUrl,
        POSTRIDER_ADMIN_KEY: "admin",
      },
    },
  );
  return stdout + stderr;
}

const anEndpoint = async (fields: object = {}) =>
  await call<{ id: string; secret: string }>(
    `${running.controlUrl}/v1/endpoints`,
    {
      tenantId: "acme",
      url: receiver.url,
      eventTypes: ["order.paid"],
      ...fields,
    },
  );
const toInline = (secret: string) => ({
  type: "order.inline",
  destination: { url: receiver.url, secret },
});

test(
  "a new key takes over and the old one is taken out, and every delivery goes on, with no restart",
  async () => {
    const { id, secret } = await anEndpoint();
    await waitFor(async () => {
      const event = await publish();
      await waitFor(() => receiver.requests.some(requestOf(event)), {
        timeoutMs: 1_000,
      });
      return true;
    }).catch(() => undefined);
    await arrives(await publish(), secret);

    await setKeys(`${K1},${K2}`, ["k1=1", "k2=2"]);
    await setKeys(`${K2},${K1}`, ["k1=2", "k2=1"]);
    await arrives(await publish(toInline("hush")), "hush");
    expect(await postrider("secrets", "status")).toContain(
      "1 secret or header value is sealed with an older key.",
    );
    const done = await postrider("secrets", "reencrypt", "--why", "new key");
    expect(done).toContain(
      "Sealed with k2: 1 secret and 0 header values of 1 endpoint.",
    );
    expect(done).toContain("No endpoint needs k1 any more.");
    await setKeys(K2, ["k1=0", "k2=1"]);
    await arrives(await publish(), secret);

    // As a dispatcher does that has never seen the endpoint sealed with k1.
    await call(
      `${running.controlUrl}/v1/endpoints/${id}`,
      { description: "changed" },
      "PATCH",
    );
    await arrives(await publish(), secret);
  },
  LONG,
);

/** Takes the key of a fresh endpoint out, publishes, gives the key back once that was missed, and sees the event come. */
async function waitsForItsKey(): Promise<void> {
  const type = `order.late${(published += 1)}`;
  // The last try before the delivery is too old is soon then.
  const { id, secret } = await anEndpoint({
    eventTypes: [type],
    maxAgeMs: 9_000,
  });
  await setKeys(K1, ["k1=1", "k2=0"]);
  const event = await publish({ type });
  const log = join(folder, "dispatcher.log");
  const why = "sealed with key k2; the ring has k1";
  try {
    await waitFor(() =>
      readFileSync(log, "utf8")
        .split("\n")
        .some((line) => line.includes(id) && line.includes(why)),
    );
  } finally {
    await setKeys(K2, ["k1=0", "k2=1"]);
  }
  await arrives(event, secret, 12_000);
}

test(
  "deliveries whose key is taken out wait, and go once it is given back",
  async () => {
    // The last try has two seconds until the delivery expires, which a busy machine may miss: then another one shows it.
    await waitFor(async () => (await waitsForItsKey(), true), {
      timeoutMs: 60_000,
    });
  },
  2 * LONG,
);

test("a file that cannot be read changes nothing, and the log says why without a key", async () => {
  writeFileSync(file, "k3:AAAA");
  const dispatcher = running.services.find(
    ({ name }) => name === "dispatcher",
  )!;

  const line = await waitFor(async () => {
    await positions(dispatcher.adminUrl);
    return readFileSync(dispatcher.logFile, "utf8")
      .split("\n")
      .find((each) => each.includes("encryptionKeys.notReadAgain"));
  });

  expect(line).toContain("key 1 (k3) has 3 bytes, not 32");
  expect(line).not.toContain("AAAA");
  expect(await positions(dispatcher.adminUrl)).toContain("k2=1");
  await arrives(await publish(toInline("hush again")), "hush again");
});

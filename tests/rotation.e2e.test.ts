/** A secret is rotated while a delivery is between two attempts: the services as processes, the rotation over the API. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newKeys, startServices, type RunningServices } from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { verify } from "@postrider/signing";
import {
  startReceiver,
  useStack,
  waitFor,
  type ReceivedRequest,
} from "@postrider/testkit";

const TIERS = "1s,2s";
const stack = useStack();
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-rotation-"));
let running: RunningServices | undefined;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  running = await startServices({
    ...stack.forServices,
    services: ["ingest", "dispatcher", "retry-scheduler", "control"],
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_SESSION_TIMEOUT: "6s",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
}, 120_000);
afterAll(async () => {
  await running?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

async function post<T>(url: string | undefined, body: unknown): Promise<T> {
  const response = await fetch(url ?? "", {
    method: "POST",
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

/** Publishes an event whose payload is its type. */
async function publish(type: string): Promise<void> {
  const id = randomUUID();
  const event = { id, type, tenantId: "acme", payload: type };
  await post(`${running?.ingestUrl}/v1/events`, event);
}

const isProbe = ({ body }: ReceivedRequest): boolean =>
  body.toString() === '"order.probe"';

test("a retry is signed with the secrets that are valid when it is sent: the old one, then both, then the new one alone", async () => {
  const secrets: string[] = [];
  /** Which of the secrets so far have signed, by their number from 1. */
  const signersOf = ({ headers, body }: ReceivedRequest): string =>
    secrets
      .flatMap((secret, at) =>
        verify({ headers, body, secrets: [secret] }).ok ? [at + 1] : [],
      )
      .join("+");
  let endpoint = "";
  let rotations = 0;
  const rotate = async (overlapMs: number): Promise<void> => {
    rotations += 1;
    const url = `${endpoint}/rotate-secret`;
    const { secret } = await post<{ secret: string }>(url, { overlapMs });
    secrets.push(secret);
  };
  // Rotates while the attempt waits for its answer. A retry may still come before the dispatcher has read the new version.
  const receiver = await startReceiver({
    answer: async (request) => {
      if (isProbe(request)) return 200;
      const signers = signersOf(request);
      if (signers === "3") return 200;
      if (signers === "1" && rotations === 0) await rotate(600_000);
      else if (signers === "1+2" && rotations === 1) await rotate(500);
      return 500;
    },
  });
  try {
    const made = await post<{ id: string; secret: string }>(
      `${running?.controlUrl}/v1/endpoints`,
      {
        tenantId: "acme",
        url: receiver.url,
        eventTypes: ["*"],
        retryDelaysMs: Array.from({ length: 50 }, () => 1_000),
      },
    );
    secrets.push(made.secret);
    endpoint = `${running?.controlUrl}/v1/endpoints/${made.id}`;

    // Route may know the endpoint a moment later than control.
    await waitFor(
      async () => {
        await publish("order.probe");
        return receiver.requests.some(isProbe);
      },
      { everyMs: 200, timeoutMs: 30_000, what: "the endpoint to get events" },
    );
    await publish("order.paid");
    await receiver.waitForRequests(1, {
      where: (request) => !isProbe(request) && signersOf(request) === "3",
      timeoutMs: 60_000,
    });

    const attempts = receiver.requests.filter((one) => !isProbe(one));
    const seen = [...new Set(attempts.map(signersOf))];
    // The third secret may be seen beside the others, if a retry comes before the short overlap is over.
    expect(seen.filter((signers) => signers !== "1+2+3")).toEqual([
      "1",
      "1+2",
      "3",
    ]);
  } finally {
    await receiver.close();
  }
}, 120_000);

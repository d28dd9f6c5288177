/** `postrider endpoints apply` against a real control: what it writes, what it leaves, and what it refuses. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { useStack } from "@postrider/testkit";
import {
  ADMIN_KEY,
  CONTROL_TOPICS,
  useControl,
  type Ask,
} from "../services/control/fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;
const bin = fileURLToPath(
  new URL("../packages/cli/bin/postrider.js", import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), "postrider-apply-"));
const file = join(folder, "endpoints.yaml");
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await stack.createTopics(...CONTROL_TOPICS);
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let tenants = 0;

async function start() {
  const { ask, url } = await control.startOwner();
  const apply = async (
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<Ran> => {
    const child = spawn(
      process.execPath,
      [
        bin,
        "endpoints",
        ...(args[0] === "validate" ? [] : ["apply"]),
        ...args,
        "-f",
        file,
      ],
      {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          POSTRIDER_CONTROL_URL: url,
          POSTRIDER_ADMIN_KEY: ADMIN_KEY,
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const code = new Promise<number | null>((resolve) =>
      child.once("close", resolve),
    );
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code: await code, stdout, stderr };
  };
  tenants += 1;
  return { ask, apply, url, tenant: `tenant_${tenants}` };
}

/** Passes requests on, each after `before`; resolves to its address. */
async function proxyTo(
  url: string,
  before: (line: string) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const line = `${request.method} ${request.url}`;
      await before(line);
      const body = await text(request);
      const { authorization = "", "if-match": version } = request.headers;
      const answer = await fetch(`${url}${request.url}`, {
        method: request.method ?? "GET",
        headers: {
          authorization,
          ...(version === undefined ? {} : { "if-match": version }),
          ...(body === "" ? {} : { "content-type": "application/json" }),
        },
        ...(body === "" ? {} : { body }),
      });
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  control.onEnd(async () => void server.close());
  const { port } = server.address() as AddressInfo; // listening on TCP
  return `http://127.0.0.1:${port}`;
}

interface Stored {
  readonly id: string;
  readonly externalId: string;
  readonly version: number;
  readonly [field: string]: unknown;
}

async function storedOf(
  ask: Ask,
  tenant: string,
): Promise<Record<string, Stored>> {
  const { body } = await ask<{ endpoints: Stored[] }>(
    `GET /v1/endpoints?tenantId=${tenant}`,
  );
  return Object.fromEntries(
    body.endpoints.map((each) => [each.externalId, each]),
  );
}

const write = (tenant: string, rest: string): void =>
  writeFileSync(file, `tenantId: ${tenant}\nendpoints:\n${rest}`);

const TWO = `
  - externalId: billing
    url: https://billing.example/hooks
    eventTypes: [order.*]
    timeoutMs: 5000
    secret: { env: BILLING_SECRET }
    headers:
      x-team: billing
      authorization: { env: BILLING_TOKEN }
  - externalId: crm
    url: https://crm.example/hooks
    eventTypes: ["*"]
    rateLimit: { perSecond: 50, burst: 100 }
`;
const SECRETS = {
  BILLING_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  BILLING_TOKEN: "Bearer hush-1",
};

test(
  "a file makes its endpoints once: the second time nothing is written, and no output ever has a secret",
  async () => {
    const { ask, apply, tenant } = await start();
    write(tenant, TWO);

    const dry = await apply(["--dry-run"], SECRETS);
    const before = await storedOf(ask, tenant);
    const first = await apply([], SECRETS);
    const made = await storedOf(ask, tenant);
    const second = await apply(["--json"], SECRETS);

    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stderr).toContain("2 to create");
    expect(before).toEqual({});
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toContain("2 created, 0 changed, 0 deleted");
    expect(made).toMatchObject({
      billing: { version: 1, timeoutMs: 5000 },
      crm: { version: 1, timeoutMs: 15000 },
    });
    expect(JSON.parse(second.stdout)).toMatchObject({
      outcomes: [
        { action: "unchanged", externalId: "billing", version: 1 },
        { action: "unchanged", externalId: "crm", version: 1 },
      ],
    });
    expect(await storedOf(ask, tenant)).toEqual(made);
    for (const { stdout, stderr } of [dry, first, second])
      expect(stdout + stderr).not.toMatch(/hush|MfKQ9|whsec_/);
  },
  LONG,
);

test(
  "a change is shown field by field, writes only that, and a field that is left out gets its default",
  async () => {
    const { ask, apply, tenant } = await start();
    write(tenant, TWO);
    await apply([], SECRETS);

    write(
      tenant,
      TWO.replace("    timeoutMs: 5000\n", "").replace(
        "crm.example",
        "c.example",
      ),
    );
    const secrets = { ...SECRETS, BILLING_TOKEN: "Bearer hush-2" };
    const dry = await apply(["--dry-run"], secrets);
    const ran = await apply([], secrets);

    expect(dry.stdout).toContain("timeoutMs  5000 → 15000");
    expect(dry.stdout).toContain(
      "headers.authorization  [redacted] → [redacted]",
    );
    expect(dry.stdout).toContain(
      "url  https://crm.example/hooks → https://c.example/hooks",
    );
    expect(ran.stderr).toContain("0 created, 2 changed");
    expect(await storedOf(ask, tenant)).toMatchObject({
      billing: { version: 2, timeoutMs: 15000, eventTypes: ["order.*"] },
      crm: { version: 2, url: "https://c.example/hooks" },
    });
    expect(dry.stdout + ran.stdout + ran.stderr).not.toMatch(/hush/);
  },
  LONG,
);

test(
  "an endpoint that was paused by hand stays paused",
  async () => {
    const { ask, apply, tenant } = await start();
    write(tenant, TWO);
    await apply([], SECRETS);
    const { crm } = await storedOf(ask, tenant);
    await ask(`POST /v1/endpoints/${crm?.id}/pause`);

    const ran = await apply([], SECRETS);

    expect(ran.stderr).toContain("2 unchanged");
    expect(await storedOf(ask, tenant)).toMatchObject({
      crm: { state: "paused", version: 2 },
    });
  },
  LONG,
);

test(
  "every problem is told at once by its line and path, and nothing is written",
  async () => {
    const { ask, apply, tenant } = await start();
    write(
      tenant,
      `
  - externalId: fine
    url: https://fine.example/
    eventTypes: [a]
  - externalId: bad
    url: https://10.0.0.1/
    eventTypes: ["no type"]
    timeoutMs: 5
    timeout: 3s
    secret: { env: NOT_SET }
`,
    );

    const ran = await apply();
    const judged = await apply(["validate", "--json"]);
    const told = await apply(["validate"]);

    expect(ran.code).toBe(5);
    const lines = [
      "endpoints.yaml:8: endpoints[1].url: requests to it are refused: private",
      "endpoints.yaml:9: endpoints[1].eventTypes[0]: must be a dotted type",
      "endpoints.yaml:10: endpoints[1].timeoutMs: must be at least 1000",
      "endpoints.yaml:11: endpoints[1].timeout: is not a field of this request",
      "endpoints.yaml:12: endpoints[1].secret: the environment variable NOT_SET is not set",
    ];
    const found = lines.map((line) => ran.stderr.indexOf(line));
    expect(found).not.toContain(-1);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(ran.stderr).toContain(
      "endpoints.yaml has 5 problems; nothing was written.\n",
    );
    expect(told.stderr).toContain(
      "endpoints.yaml has 5 problems; 2 endpoints were checked.\n",
    );
    expect(judged.code).toBe(5);
    expect(JSON.parse(judged.stderr)).toMatchObject({
      problems: expect.arrayContaining([
        expect.objectContaining({ path: "endpoints[1].url" }),
      ]),
    });
    expect(await storedOf(ask, tenant)).toEqual({});
  },
  LONG,
);

test(
  "prune deletes what the file no longer has, but asks first, and leaves what has no external id, and what listens",
  async () => {
    const { ask, apply, tenant } = await start();
    write(tenant, TWO);
    await apply([], SECRETS);
    await ask("POST /v1/endpoints", {
      tenantId: tenant,
      url: "https://by-hand.example/",
      eventTypes: ["*"],
    });
    await ask("POST /v1/endpoints", {
      tenantId: tenant,
      externalId: "listen:me",
      url: "https://listens.example/",
      eventTypes: ["*"],
    });
    write(tenant, TWO.slice(0, TWO.indexOf("  - externalId: crm")));

    const kept = await apply([], SECRETS);
    const unasked = await apply(["--prune"], SECRETS);
    const between = await storedOf(ask, tenant);
    const ran = await apply(["--prune", "--yes"], SECRETS);

    expect(kept.stderr).toContain("0 deleted");
    expect(unasked).toMatchObject({ code: 2 });
    expect(unasked.stderr).toContain(`- ${tenant}/crm`);
    expect(unasked.stderr).toContain("--yes");
    expect(Object.keys(between).sort()).toEqual([
      "billing",
      "crm",
      "listen:me",
      "null",
    ]);
    expect(ran).toMatchObject({ code: 0 });
    expect(Object.keys(await storedOf(ask, tenant)).sort()).toEqual([
      "billing",
      "listen:me",
      "null",
    ]);
  },
  LONG,
);

test(
  "a change that is made meanwhile is refused and not overwritten, and the others are made",
  async () => {
    const { ask, apply, tenant, url } = await start();
    write(tenant, TWO);
    await apply([], SECRETS);
    const { crm } = await storedOf(ask, tenant);
    write(
      tenant,
      TWO.replace("crm.example", "c.example").replace("5000", "6000"),
    );
    // Between what the command has read and what it writes.
    const proxied = await proxyTo(url, async (line) => {
      if (line === `PATCH /v1/endpoints/${crm?.id}`)
        await ask(
          `PATCH /v1/endpoints/${crm?.id}`,
          { description: "theirs" },
          { "if-match": "*" },
        );
    });

    const ran = await apply(["--json"], {
      ...SECRETS,
      POSTRIDER_CONTROL_URL: proxied,
    });

    expect(ran.code).toBe(5);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcomes: [
        { externalId: "billing", outcome: "done", version: 2 },
        { externalId: "crm", outcome: "refused", version: 1 },
      ],
    });
    expect(await storedOf(ask, tenant)).toMatchObject({
      billing: { timeoutMs: 6000 },
      crm: { description: "theirs", url: "https://crm.example/hooks" },
    });
  },
  LONG,
);

test(
  "what the file no longer has is kept where something else was refused: it may be what takes its place",
  async () => {
    const { ask, apply, tenant, url } = await start();
    write(tenant, TWO);
    await apply([], SECRETS);
    write(tenant, TWO.replace("externalId: crm", "externalId: crm-2"));
    // Between what the command has read and what it writes.
    const proxied = await proxyTo(url, async (line) => {
      if (line === "POST /v1/endpoints")
        await ask("POST /v1/endpoints", {
          tenantId: tenant,
          externalId: "crm-2",
          url: "https://theirs.example/",
          eventTypes: ["a"],
        });
    });

    const ran = await apply(["--prune", "--yes", "--json"], {
      ...SECRETS,
      POSTRIDER_CONTROL_URL: proxied,
    });

    expect(ran.code).toBe(5);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcomes: [
        { externalId: "billing", outcome: "planned" },
        { externalId: "crm-2", outcome: "refused" },
        { action: "delete", externalId: "crm", outcome: "planned" },
      ],
    });
    expect(ran.stderr).toContain("What was left to delete was kept");
    expect(Object.keys(await storedOf(ask, tenant)).sort()).toEqual([
      "billing",
      "crm",
      "crm-2",
    ]);
  },
  LONG,
);

test(
  "a header that comes from a reference is hidden under whatever case its name was stored in",
  async () => {
    const { apply, tenant } = await start();
    const hushed = { ...SECRETS, TEAM: "hush-team" };
    write(tenant, TWO.replace("x-team: billing", "X-Team: { env: TEAM }"));
    await apply([], hushed);
    write(tenant, TWO.replace("x-team: billing", "x-team: { env: TEAM }"));

    const dry = await apply(["--dry-run"], hushed);

    expect(dry.stdout).toContain("headers.X-Team  [redacted] → none");
    expect(dry.stdout + dry.stderr).not.toMatch(/hush/);
  },
  LONG,
);

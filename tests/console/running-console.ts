/** The whole stack with some deliveries, and a browser that is signed in to its console. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import {
  migrate,
  newKeys,
  newTenantUser,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import {
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import type { Browser, Page } from "playwright-core";
import {
  chromiumPath,
  launchChromium,
  openPage,
  signIn,
  type WatchedPage,
} from "./chromium.ts";

const TIERS = "1s,2s";
export const PATIENCE_MS = 60_000;
/** For a test in the browser, on a slow and busy machine. */
export const LONG = 200_000;
export const ADMIN_KEY = "an-admin-key-of-the-test";

/** What a receiver or a publisher may try: scripts, other directions of text, a very long line. */
const HOSTILE = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">\u202Egnp.exe ${"long".repeat(4_000)}`;

/**
 * Call it at the top of a test file. Without a Chromium it starts nothing. `env`: further variables of the services. `servesTenants`:
 * with a ClickHouse of its own that has the tenants' user.
 */
export function useConsole({
  env = {},
  servesTenants = false,
}: {
  readonly env?: Readonly<Record<string, string>>;
  readonly servesTenants?: boolean;
} = {}) {
  const stack = useStack();
  const tenants = newTenantUser(stack.database);
  let own: Stack | undefined;
  let logDirectory = "";
  let running: RunningServices;
  let receiver: Receiver;
  let browser: Browser;

  async function call<T>(what: string, body?: unknown): Promise<T> {
    const [method = "GET", path = ""] = what.split(" ");
    const url = path === "/v1/events" ? running.ingestUrl : running.controlUrl;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${what}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Deliveries that were accepted at once, one that was given up after two attempts. */
  async function generate(): Promise<void> {
    for (const [path, maxAttempts] of [["/ok"], ["/down", 2]] as const)
      await call("POST /v1/endpoints", {
        tenantId: "acme",
        url: `${receiver.url}${path}`,
        eventTypes: [path === "/ok" ? "order.*" : "invoice.*"],
        ...(maxAttempts && { maxAttempts }),
      });
    const ingest = running.services.find(({ name }) => name === "ingest");
    await waitFor(
      async () => {
        const page = await (await fetch(`${ingest?.adminUrl}/metrics`)).text();
        return /^postrider_table_entries\{.*endpoints".*\} 2$/m.test(page);
      },
      { what: "route to know the endpoints", timeoutMs: PATIENCE_MS },
    );
    const types = ["order.paid", "order.sent", "order.paid", "invoice.due"];
    for (const [n, type] of types.entries())
      await call("POST /v1/events", {
        id: `evt-${n}`,
        type,
        tenantId: "acme",
        payload: { n, note: HOSTILE },
      });
    await waitFor(
      async () => {
        const { deliveries } = await call<{
          deliveries: readonly { readonly status: string }[];
        }>("GET /v1/deliveries");
        const statuses = deliveries.map(({ status }) => status).toSorted();
        return statuses.join() === "delivered,delivered,delivered,expired";
      },
      { what: "the deliveries", everyMs: 300, timeoutMs: PATIENCE_MS },
    );
  }

  beforeAll(async () => {
    if (chromiumPath === "") return;
    logDirectory = mkdtempSync(join(tmpdir(), "postrider-console-"));
    // In a process of its own: the builder's native part does not take what jest's modules hand it.
    execFileSync(process.execPath, [
      fileURLToPath(new URL("../../scripts/run.js", import.meta.url)),
      "build-console",
    ]);
    await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
    if (servesTenants) {
      own = await startStack({
        provider: "local",
        clickhouseUsers: tenants.users,
      });
      await own.kafka.server?.stop(); // the run's own serves
    }
    const clickhouse = own?.clickhouse ?? stack.forServices.stack.clickhouse;
    await migrate({ url: clickhouse.url, database: stack.database });
    receiver = await startReceiver({
      answer: ({ path }) =>
        path === "/ok" || path === "/well"
          ? { status: 200, body: '{"ok":true,"n":12345678901234567890}' }
          : { status: 503, headers: { "x-note": "<b>x</b>" }, body: HOSTILE },
    });
    running = await startServices({
      ...stack.forServices,
      stack: { ...stack.forServices.stack, clickhouse },
      ...newKeys(),
      adminKey: ADMIN_KEY,
      logDirectory,
      readyTimeoutMs: 120_000,
      env: {
        POSTRIDER_TIERS: TIERS,
        POSTRIDER_ALLOW_HTTP: "true",
        POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
        POSTRIDER_RECORD_LINGER: "200ms",
        ...(servesTenants && tenants.env),
        ...env,
      },
    });
    browser = await launchChromium();
    await generate();
  }, 2 * LONG);
  // Each page of a test that is over would go on asking.
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await running?.stop();
    await own?.stop();
    await receiver?.close();
    if (logDirectory !== "")
      rmSync(logDirectory, { recursive: true, force: true });
  }, LONG);

  async function open(
    more: Omit<Parameters<typeof openPage>[1], "url"> & {
      /** Default: the list of deliveries. */
      readonly url?: string;
      /** Default: the administrator's. */
      readonly key?: string;
    } = {},
  ): Promise<WatchedPage> {
    const url = more.url ?? `${running.controlUrl}/#/deliveries`;
    const opened = await openPage(browser, { ...more, url });
    await signIn(opened.page, more.key ?? ADMIN_KEY);
    return opened;
  }

  /** Waits until the audit trail has a change of such a subject with this reason. */
  async function hasAudited(subject: string, why: string): Promise<void> {
    await waitFor(
      async () => {
        const { entries } = await call<{
          entries: readonly { readonly why: string }[];
        }>(`GET /v1/audit?subject=${subject}`);
        return entries.some((entry) => entry.why === why);
      },
      { what: "the audit trail", everyMs: 300, timeoutMs: PATIENCE_MS },
    );
  }

  return {
    call,
    hasAudited,
    open,
    /** Of control itself. */
    url: () => running.controlUrl,
    browser: () => browser,
    receiver: () => receiver,
  };
}

export async function openGivenUp(page: Page): Promise<void> {
  await page.getByRole("link", { name: "invoice.due" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  // The section has the name, and so has the text in it once it is there.
  await page
    .getByRole("region", { name: "Event payload", exact: true })
    .nth(1)
    .waitFor();
}

export async function rowsOf(page: Page): Promise<number> {
  return await page.locator("tbody tr").count();
}

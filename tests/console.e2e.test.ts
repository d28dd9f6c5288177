/** The console in a real browser, on the whole stack, with deliveries that went well and that did not. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
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
  seriousViolations,
  type WatchedPage,
} from "./console/chromium.ts";
import { startPrefixProxy } from "./console/prefix-proxy.ts";

const TIERS = "1s,2s";
const PATIENCE_MS = 60_000;
const LONG = 200_000;
const ADMIN_KEY = "an-admin-key-of-the-test";
/** People look at them; no test does. */
const SHOTS = fileURLToPath(
  new URL("../.cache/console-shots/", import.meta.url),
);

/** What a receiver or a publisher may try: scripts, other directions of text, a very long line. */
const HOSTILE = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">\u202Egnp.exe ${"long".repeat(4_000)}`;

const stack = useStack();
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-console-"));
const ended: (() => Promise<unknown>)[] = [];
let running: RunningServices;
let receiver: Receiver;
let browser: Browser;

const describeHere = chromiumPath === "" ? describe.skip : describe;
const note =
  chromiumPath === ""
    ? " (no chromium on this machine: apt-get install chromium)"
    : "";

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
  // In a process of its own: the builder's native part does not take what jest's modules hand it.
  execFileSync(process.execPath, [
    fileURLToPath(new URL("../scripts/run.js", import.meta.url)),
    "build-console",
  ]);
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  await migrate({ url: stack.clickhouseUrl, database: stack.database });
  receiver = await startReceiver({
    answer: ({ path }) =>
      path === "/ok"
        ? { status: 200, body: '{"ok":true,"n":12345678901234567890}' }
        : { status: 503, headers: { "x-note": "<b>x</b>" }, body: HOSTILE },
  });
  running = await startServices({
    ...stack.forServices,
    ...newKeys(),
    adminKey: ADMIN_KEY,
    logDirectory,
    readyTimeoutMs: 120_000,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_RECORD_LINGER: "200ms",
    },
  });
  browser = await launchChromium();
  await generate();
  mkdirSync(SHOTS, { recursive: true });
}, LONG);
afterAll(async () => {
  for (const end of ended) await end();
  await browser?.close();
  await running?.stop();
  await receiver?.close();
  rmSync(logDirectory, { recursive: true, force: true });
}, LONG);

async function open(
  more: Omit<Parameters<typeof openPage>[1], "url"> & {
    readonly url?: string;
    /** Default: the administrator's. */
    readonly key?: string;
  } = {},
): Promise<WatchedPage> {
  const url = more.url ?? `${running.controlUrl}/`;
  const opened = await openPage(browser, { ...more, url });
  await signIn(opened.page, more.key ?? ADMIN_KEY);
  return opened;
}

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
}

async function openGivenUp(page: Page): Promise<void> {
  await page.getByRole("link", { name: "invoice.due" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  await page.getByText("Event payload", { exact: true }).first().waitFor();
}

describeHere(`the console in Chromium${note}`, () => {
  test(
    "a wrong key is refused in words; the right one is kept in no storage, cookie or URL",
    async () => {
      const { page } = await openPage(browser, {
        url: `${running.controlUrl}/`,
      });

      await page.keyboard.type("wrong"); // the field has the focus
      await page.keyboard.press("Enter");
      await page.getByText("This key is not valid").waitFor();
      await page.keyboard.press("Control+A");
      await page.keyboard.type(ADMIN_KEY);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Deliveries" }).waitFor();

      const kept = await page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state])",
      );
      expect(kept).not.toContain(ADMIN_KEY);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key", { exact: true }).waitFor();
      expect(await page.content()).not.toContain(ADMIN_KEY);
    },
    LONG,
  );

  test(
    "by mouse: a filter is in the URL, outlives a reload, and leads to a delivery and its attempts",
    async () => {
      const { page, complaints, foreign } = await open();

      await page.getByRole("button", { name: "Given up" }).click();
      await page.waitForURL(/#\/deliveries\?status=expired$/);
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await waitFor(async () => (await rowsOf(page)) === 1);
      expect(
        await page
          .getByRole("button", { name: "Given up" })
          .getAttribute("aria-pressed"),
      ).toBe("true");
      await openGivenUp(page);

      await page.getByText("Given up after 2 attempts.").waitFor();
      const attempts = page.locator("summary", { hasText: "Attempt" });
      expect(await attempts.allInnerTexts()).toEqual([
        expect.stringMatching(/Attempt 1\s+✕ 503/),
        expect.stringMatching(/Attempt 2\s+✕ 503/),
      ]);
      await page.getByText("The receiver answered 503.").last().waitFor();
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    },
    LONG,
  );

  test(
    "by keyboard: rows, a delivery, the help, and back",
    async () => {
      const { page, complaints } = await open();
      await waitFor(async () => (await rowsOf(page)) === 4);

      await page.keyboard.press("j"); // the newest: invoice.due
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      await page.keyboard.press("Enter");
      await page.getByText("Given up after 2 attempts.").waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.keyboard.press("g");
      await page.keyboard.press("d");
      await page.getByRole("heading", { name: "Deliveries" }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("no such error");
      await page.keyboard.press("Enter");

      await page.getByText("No delivery matches").waitFor();
      expect(page.url()).toMatch(/text=no\+such\+error$/);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "what receivers and publishers write is text: nothing of it runs, turns the text around or widens the page",
    async () => {
      const { page, complaints } = await open({ width: 390 });

      await openGivenUp(page);

      for (const name of ["Response body of attempt 2", "Event payload"]) {
        const shown = await page
          .getByRole("region", { name, exact: true })
          .last()
          .innerText();
        expect(shown).toContain("window.pwned=1");
        expect(shown).toContain("⟨U+202E⟩gnp.exe");
      }
      await page.getByText("<b>x</b>").last().waitFor();
      const [isPwned, images, wide] = await Promise.all(
        [
          "'pwned' in window",
          "document.images.length",
          "document.documentElement.scrollWidth - innerWidth",
        ].map((asked) => page.evaluate(asked)),
      );
      expect({ isPwned, images, wide }).toEqual({
        isPwned: false,
        images: 0,
        wide: 0,
      });
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a reader sees all and cannot act; a tenant that is not served is told so",
    async () => {
      const [reader, tenant] = await Promise.all(
        [null, "acme"].map((tenantId) =>
          call<{ token: string }>("POST /v1/keys", {
            name: "console",
            role: "reader",
            ...(tenantId && { tenantId }),
          }),
        ),
      );
      const { page } = await open({ key: reader!.token });
      await openGivenUp(page);
      expect(await page.getByRole("button", { name: /Redrive/ }).count()).toBe(
        0,
      );

      const other = await open({ key: tenant!.token });
      await other.page.getByText("Reader of acme").waitFor();

      await other.page
        .getByRole("heading", {
          name: "Tenants' questions are not answered here",
        })
        .waitFor();
    },
    LONG,
  );

  test.each([
    { width: 1_280, colorScheme: "light" },
    { width: 390, colorScheme: "light" },
    { width: 1_280, colorScheme: "dark" },
  ] as const)(
    "axe finds nothing serious on any page: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const shot = async (name: string): Promise<void> =>
        void (await page.screenshot({
          path: join(SHOTS, `${name}-${how.width}-${how.colorScheme}.png`),
          fullPage: true,
        }));
      const found: Record<string, string[]> = {};

      await waitFor(async () => (await rowsOf(page)) === 4);
      await shot("deliveries");
      found["deliveries"] = await seriousViolations(page);
      await page.keyboard.press("?");
      found["help"] = await seriousViolations(page);
      await page.keyboard.press("Escape");
      await openGivenUp(page);
      await shot("delivery");
      found["delivery"] = await seriousViolations(page);
      await page.getByRole("button", { name: /Redrive/ }).click();
      await page.getByText("once more").waitFor();
      await shot("redrive");
      found["redrive"] = await seriousViolations(page);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key", { exact: true }).waitFor();
      await shot("sign-in");
      found["sign-in"] = await seriousViolations(page);

      expect(found).toEqual({
        deliveries: [],
        help: [],
        delivery: [],
        redrive: [],
        "sign-in": [],
      });
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "below a path of a proxy: the receiver is repaired, the delivery sent again, and it arrives",
    async () => {
      const proxy = await startPrefixProxy(
        "/ops/postrider",
        running.controlUrl,
      );
      ended.push(proxy.close);
      const { page, complaints } = await open({ url: proxy.url });
      await openGivenUp(page);
      receiver.answerWith(200);

      await page.getByRole("button", { name: /Redrive/ }).click();
      await page.getByLabel(/Why/).fill("their receiver is back");
      await page.getByRole("button", { name: "Send again" }).click();

      await page
        .getByRole("link", { name: "The new delivery" })
        .click({ timeout: PATIENCE_MS });
      await page
        .getByText("Delivered after 1 attempt.")
        .waitFor({ timeout: PATIENCE_MS });
      await waitFor(
        async () => {
          const { entries } = await call<{
            entries: readonly { readonly why: string }[];
          }>("GET /v1/audit?subject=replay");
          return entries.some(({ why }) => why === "their receiver is back");
        },
        { what: "the audit trail", everyMs: 300, timeoutMs: PATIENCE_MS },
      );
      expect(complaints).toEqual([]);
    },
    LONG,
  );
});

async function rowsOf(page: Page): Promise<number> {
  return await page.locator("tbody tr").count();
}

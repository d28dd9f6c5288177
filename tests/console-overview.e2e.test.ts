/** The console's overview in a real browser, on the whole stack: deliveries that went well, one that was given up, one that waits, and a breaker that is open. */
import { beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import {
  describeInChromium,
  LOOKS,
  looking,
  widerBy,
} from "./console/looks.ts";
import {
  LONG,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const HOUR = 3_600_000;

const console = useConsole();
const { call } = console;

interface Answer {
  readonly rows: readonly (readonly unknown[])[];
}

const open = (how: Parameters<typeof console.open>[0] = {}) =>
  console.open({ url: `${console.url()}/`, ...how });

/** Of a panel, by its title. */
const panel = (page: Page, name: string) =>
  page.getByRole("region", { name, exact: true });

/** Each panel has been answered. */
async function shown(page: Page): Promise<void> {
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await waitFor(
    async () =>
      (await page.locator("section[aria-busy=false]").count()) === 9 &&
      (await page.locator("section[aria-busy=true]").count()) === 0,
    { what: "all panels", timeoutMs: PATIENCE_MS },
  );
}

describeInChromium("the overview in Chromium", () => {
  beforeAll(async () => {
    await call("POST /v1/events", {
      id: "evt-later",
      type: "order.paid",
      tenantId: "acme",
      notBefore: new Date(Date.now() + HOUR).toISOString(),
      payload: {},
    });
    for (let n = 0; n < 14; n += 1)
      await call("POST /v1/events", {
        id: `evt-due-${n}`,
        type: "invoice.due",
        tenantId: "acme",
        payload: { n },
      });
    await waitFor(
      async () => {
        const [waiting, breakers] = await Promise.all([
          call<Answer>("GET /v1/queries/waiting-by-tier"),
          call<Answer>("GET /v1/queries/breaker-time"),
        ]);
        const reasons = waiting.rows.map(([reason]) => reason);
        return breakers.rows.length === 1 && reasons.includes("not_before");
      },
      { what: "what waits", everyMs: 300, timeoutMs: PATIENCE_MS },
    );
  }, LONG);

  test(
    "by mouse: it is where the console begins, the time is in the URL, and numbers lead to what they count",
    async () => {
      const { page, complaints, foreign } = await open();
      await shown(page);

      expect(page.url()).toMatch(/#\/overview$/);
      await choose(page, "Last 6 hours");
      await page.waitForURL(/#\/overview\?range=6h$/);
      const delivered = panel(page, "Deliveries").getByRole("link", {
        name: "Delivered",
      });
      expect(await delivered.innerText()).toMatch(/Delivered\s+3/);
      await delivered.click();
      await page.waitForURL(/#\/deliveries\?status=delivered&since=6h$/);
      await waitFor(async () => (await rowsOf(page)) === 3);

      await page.goBack();
      await shown(page);
      const waiting = panel(page, "Waiting");
      expect(await waiting.innerText()).toMatch(/not before[^]*Tier/);
      await waiting
        .getByRole("row", { name: "not before" })
        .getByRole("link")
        .click();
      await page.waitForURL(/deferralReason=not_before/);
      await waitFor(async () => (await rowsOf(page)) === 1);

      await page.goBack();
      await shown(page);
      const letters = panel(page, "Dead letters");
      const link = letters
        .getByRole("row", { name: "exhausted" })
        .getByRole("link");
      const count = Number(await link.innerText());
      await link.click();
      await page.waitForURL(/deadLetterReason=exhausted/);
      await waitFor(async () => (await rowsOf(page)) >= count); // its breaker still lets attempts through

      await page.goBack();
      await shown(page);
      await panel(page, "Open breakers").getByRole("link").click();
      await page.waitForURL(/#\/endpoints\/ep_/);

      await page.goBack();
      await shown(page);
      const lag = panel(page, "Lag by stage");
      await lag
        .getByRole("row", { name: /^dispatcher Served by 1 \d+$/ })
        .waitFor();
      await lag
        .getByRole("row", { name: /^retry-scheduler Served by 1 \d+ waiting$/ })
        .waitFor();
      await lag.getByRole("link", { name: "dispatcher" }).click();
      await page.waitForURL(/#\/system\?tab=stages&open=dispatcher$/);
      await page.getByRole("heading", { name: "Members" }).waitFor();
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    },
    LONG,
  );

  test(
    "by keyboard: pages, numbers, a chart's values one by one, and its table",
    async () => {
      const { page, complaints } = await console.open();
      await waitFor(async () => (await rowsOf(page)) > 0);

      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await shown(page);
      const slider = page.getByRole("slider", { name: /^Attempts per/ });
      await slider.focus();
      const last = await slider.getAttribute("aria-valuetext");
      await page.keyboard.press("Home");
      const first = await slider.getAttribute("aria-valuetext");
      expect(first).toMatch(/UTC: Delivered 0, Failed 0$/);
      expect(first).not.toBe(last);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const table = page.getByRole("region", { name: /^Attempts per.*table$/ });
      await table.getByRole("cell").first().waitFor();
      const cells = await table.getByRole("cell").allInnerTexts();
      expect(sumOf(cells.filter((_, n) => n % 2 === 0))).toBe(3);
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");

      await page.waitForURL(/#\/deliveries\?status=delivered&since=1h$/);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "it asks again by itself while it is visible, and not once that is off",
    async () => {
      const { page, complaints } = await console.open();
      // Where the page does not ask by itself: the clock does not have the timers from before.
      await page.clock.install();
      await page.getByRole("link", { name: "Overview", exact: true }).click();
      await shown(page);
      let asked = 0;
      page.on("request", (request) => {
        if (request.url().includes("v1/series")) asked += 1;
      });
      await page.getByRole("button", { name: "Last 15 minutes" }).click();
      await waitFor(() => asked === 1);
      await shown(page);

      await page.clock.runFor(31_000);
      await waitFor(() => asked > 1);
      await seen(page, "hidden");
      await expectNoMoreUntilRefresh();
      await seen(page, "visible");
      await page.getByLabel("Every 30 s").uncheck();
      await page.clock.runFor(1_000);
      await shown(page);
      await expectNoMoreUntilRefresh();

      async function expectNoMoreUntilRefresh(): Promise<void> {
        const before = asked;
        await page.clock.runFor(65_000);
        await page.getByRole("button", { name: "Refresh" }).click();
        await waitFor(() => asked > before);
        expect(asked).toBe(before + 1);
        await shown(page);
      }
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "one panel that fails leaves the others, and can be asked again; what an answer holds is text",
    async () => {
      const { page } = await console.open();
      await page.route(/delivery-states/, (route) => route.abort());
      await page.route(/breaker-time/, (route) =>
        route.fulfill({ json: HOSTILE_BREAKER }),
      );

      await page.keyboard.press("g");
      await page.keyboard.press("o");

      const deliveries = panel(page, "Deliveries");
      await deliveries
        .getByRole("heading", { name: "Control does not answer" })
        .waitFor({ timeout: PATIENCE_MS });
      await shown(page);
      expect(await page.getByRole("alert").count()).toBe(1);
      await panel(page, "Open breakers").getByText("⟨U+202E⟩").waitFor();
      expect(
        await Promise.all(
          ["'pwned' in window", "document.images.length"].map((each) =>
            page.evaluate(each),
          ),
        ),
      ).toEqual([false, 0]);
      await page.unrouteAll();
      await deliveries.getByRole("button", { name: "Try again" }).click();
      await deliveries.getByRole("link").first().waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    },
    LONG,
  );

  test(
    "a reader sees all of it; a tenant's key asks nothing about control, and where tenants are not served each panel says so",
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
      await shown(page);
      expect(await page.getByRole("alert").count()).toBe(0);

      const other = await open({ key: tenant!.token });
      const titles = other.page.getByRole("heading", {
        name: "Tenants' questions are not answered here",
      });
      await waitFor(async () => (await titles.count()) === 7, {
        what: "all panels' failures",
        timeoutMs: PATIENCE_MS,
      });

      for (const name of ["Control", "Lag by stage"])
        expect(await panel(other.page, name).count()).toBe(0);
    },
    LONG,
  );

  test.each(LOOKS)(
    "axe finds nothing serious, and nothing is wider than the page: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      await shown(page);
      await choose(page, "Last 15 minutes");
      await page.getByText("As a table").nth(1).click();
      await page.getByRole("slider").first().focus();
      await page.keyboard.press("ArrowLeft");

      const { look, found } = looking(page, how);
      await look("overview");
      expect(found).toEqual([]);
      expect(await widerBy(page)).toBe(0);
      expect(complaints).toEqual([]);
    },
    LONG,
  );
});

const HOSTILE_BREAKER = {
  columns: [
    "tenant_id",
    "endpoint_id",
    "still_open",
    "deliveries_put_off",
    "last_opened_at",
  ].map((name) => ({ name, type: "String" })),
  rows: [
    [
      "acme",
      `<img src=x onerror="window.pwned=1">\u202Egnp.exe${"long".repeat(200)}`,
      1,
      7,
      "2026-11-30 10:00:00.000",
    ],
  ],
  truncated: false,
  elapsedMs: 1,
};

function sumOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Number(text), 0);
}

/** Another time. What was shown before is complete, too, until the button is pressed. */
async function choose(page: Page, time: string): Promise<void> {
  await page.getByRole("button", { name: time }).click();
  await page.getByRole("button", { name: time, pressed: true }).waitFor();
  await shown(page);
}

/** As if its reader had gone to another tab, or come back. */
async function seen(page: Page, state: "visible" | "hidden"): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true }); document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));`,
  );
}

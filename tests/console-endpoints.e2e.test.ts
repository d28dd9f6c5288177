/** The console's pages of endpoints in a real browser, on the whole stack. */
import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import { ours, seriousViolations } from "./console/chromium.ts";
import {
  describeInChromium,
  LOOKS,
  looking,
  shot,
  widerBy,
} from "./console/looks.ts";
import {
  ADMIN_KEY,
  LONG,
  openGivenUp,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const HOSTILE = `<script>window.pwned=1</script>\u202Egnp.exe ${"long".repeat(200)}`;

const console = useConsole();
const { call, open } = console;

interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly timeoutMs: number;
  readonly state: string;
  readonly version: number;
}

async function endpointAt(path: string): Promise<Endpoint> {
  const { endpoints } = await call<{ endpoints: readonly Endpoint[] }>(
    `GET /v1/endpoints?text=${path}`,
  );
  return endpoints[0]!;
}

/** As another administrator would. A 503 says that nothing was done: the writer changes on a busy machine. */
async function patch(id: string, change: object): Promise<void> {
  const status = await waitFor(
    async () => {
      const answer = await fetch(`${console.url()}/v1/endpoints/${id}`, {
        method: "PATCH",
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          "content-type": "application/json",
          "if-match": "*",
        },
        body: JSON.stringify(change),
      });
      return answer.status === 503 ? null : answer.status;
    },
    { what: "a writer", everyMs: 300, timeoutMs: PATIENCE_MS },
  );
  expect(status).toBe(200);
}

const hasWhy = (why: string): Promise<void> =>
  console.hasAudited("endpoint", why);

async function openList(page: Page): Promise<void> {
  await page
    .getByRole("navigation", { name: "Pages", exact: true })
    .getByRole("link", { name: "Endpoints" })
    .click();
  await page.getByRole("heading", { name: "Endpoints" }).waitFor();
}

async function openEndpoint(page: Page, path: string): Promise<void> {
  await openList(page);
  await page.getByRole("link", { name: path }).click();
  await page.getByRole("heading", { name: "Configuration" }).waitFor();
}

/** Events until one is parked: the first ones may come before the pause is known everywhere. */
async function parkOne(): Promise<void> {
  let n = 0;
  await waitFor(
    async () => {
      n += 1;
      const id = `evt-parked-${n}`;
      await call("POST /v1/events", {
        id,
        type: "order.parked",
        tenantId: "acme",
        payload: {},
      });
      return (await endOf(id)) === "paused";
    },
    { what: "a parked delivery", timeoutMs: 2 * PATIENCE_MS },
  );
}

/** `delivered`, or the reason for which the event's delivery was given up or parked. */
async function endOf(eventId: string): Promise<string> {
  return await waitFor(
    async () => {
      const { deliveries } = await call<{
        deliveries: readonly {
          readonly status: string;
          readonly deadLetterReason: string | null;
        }[];
      }>(`GET /v1/deliveries?eventId=${eventId}`);
      const [one] = deliveries;
      return one?.status === "delivered" ? "delivered" : one?.deadLetterReason;
    },
    {
      what: `the delivery of ${eventId}`,
      everyMs: 300,
      timeoutMs: PATIENCE_MS,
    },
  );
}

async function act(page: Page, name: string | RegExp): Promise<void> {
  await page
    .getByRole("group", { name: "Actions" })
    .getByRole("button", { name })
    .click();
}

describeInChromium("the console's endpoints in Chromium", () => {
  test.each(LOOKS)(
    "axe finds nothing serious on any page: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const { look, found } = looking(page, how);

      await openList(page);
      await page.getByText("100 %").waitFor();
      await look("endpoints");
      await openEndpoint(page, "/down");
      await page.getByText("0 % of 2 attempts succeeded").waitFor();
      await page.getByRole("link", { name: "invoice.due" }).waitFor();
      await look("endpoint");
      await act(page, "Redrive what failed…");
      await page.getByText("once more").waitFor();
      await look("endpoint-redrive");
      await page.keyboard.press("Escape");
      await act(page, "Delete…");
      await page.getByText("to confirm").waitFor();
      await look("endpoint-delete");
      await page.keyboard.press("Escape");
      await act(page, "Disable…");
      await page.getByText("Nothing waits").waitFor();
      await look("endpoint-disable");
      await page.keyboard.press("Escape");
      await act(page, "Edit");
      await page.getByText("More settings").click();
      await page.getByLabel("Time for one attempt").fill("5");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("must be a duration with its unit").waitFor();
      await look("endpoint-edit");
      await page.getByRole("button", { name: "Cancel" }).click();
      await openList(page);
      await page.getByRole("button", { name: "New endpoint" }).click();
      await page.getByRole("button", { name: "Create" }).waitFor();
      await look("endpoint-new");

      expect(found).toEqual([]);
      expect(ours(complaints)).toEqual([]);
    },
    LONG,
  );

  test(
    "by mouse: the list has each one's health by one question, and a filter is in the URL",
    async () => {
      const { page, complaints, foreign } = await open();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));

      await openList(page);
      const row = page.getByRole("row");
      await row.filter({ hasText: "/ok" }).getByText("100 %").waitFor();
      await row
        .filter({ hasText: "/down" })
        .getByText("of 2 attempts")
        .waitFor();
      await row
        .getByRole("img", { name: "2 attempts, of which 2 failed" })
        .waitFor();
      expect(asked.filter((url) => url.includes("/v1/series"))).toHaveLength(1);

      await page.getByLabel("A part of the URL").fill("DOWN");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/endpoints\?text=DOWN$/);
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.getByRole("button", { name: "Paused" }).click();
      await page.waitForURL(/state=paused/);
      await page.getByText("No endpoint matches").waitFor();
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    },
    LONG,
  );

  test(
    "by keyboard: g e, a row, a dialog that gives the focus back, and the way from a delivery",
    async () => {
      const { page, complaints } = await open();
      await waitFor(async () => (await rowsOf(page)) >= 4);

      await page.keyboard.press("g");
      await page.keyboard.press("e");
      await page.getByRole("link", { name: "/ok" }).waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Configuration" }).waitFor();
      const pause = page.getByRole("button", { name: "Pause…" });
      await pause.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await page.evaluate("document.activeElement.textContent")).toBe(
        "Pause…",
      );

      await page.keyboard.press("g");
      await page.keyboard.press("d");
      await openGivenUp(page);
      await page.getByRole("link", { name: "/down" }).click();
      await page.getByRole("heading", { name: /down/ }).waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a new endpoint: what is wrong is said at its field; its secret is shown once and kept nowhere",
    async () => {
      const { page, complaints } = await open();
      await openList(page);
      await page.getByRole("button", { name: "New endpoint" }).click();

      await page.getByLabel("URL", { exact: true }).fill("https://10.0.0.1/");
      await page.getByLabel("Event types").fill("made.*, what?!");
      await page.getByLabel("Tenant").fill("acme");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByText("requests to it are refused: private").waitFor();
      await page.getByText("entry 2 must be a dotted type").waitFor();
      await page.locator("#field-url:focus").waitFor();
      await page
        .getByLabel("URL", { exact: true })
        .fill(`${console.receiver().url}/made`);
      await page.getByLabel("Event types").fill("made.*");
      await page.getByText("More settings").click();
      await page.getByLabel("Headers").fill("authorization: Bearer hush");
      await page.getByLabel("Why").fill("a new customer");
      await page.getByRole("button", { name: "Create" }).click();

      const dialog = page.getByRole("dialog", { name: "The new secret" });
      const secret = await dialog.locator("output").innerText();
      expect(secret).toMatch(/^whsec_/);
      await shot(page, "endpoint-secret");
      expect(await seriousViolations(page)).toEqual([]);
      await dialog.getByRole("button", { name: "Copy" }).click();
      await dialog.getByText("Copied").waitFor();
      expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
        secret,
      );
      await dialog.getByRole("button", { name: "I have stored it" }).click();
      await page.getByRole("heading", { name: "Configuration" }).waitFor();
      await page.getByText("[redacted]").waitFor();
      const kept = await page.evaluate(
        "JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, location.href, history.state])",
      );
      expect(kept).not.toContain(secret);
      expect(kept).not.toContain("hush");
      await hasWhy("a new customer");
      expect(ours(complaints)).toEqual([]);
    },
    LONG,
  );

  test(
    "an edit: another's change is told and kept, and so is what was typed",
    async () => {
      const { page, complaints } = await open();
      const { id } = await endpointAt("/ok");
      await openEndpoint(page, "/ok");
      await act(page, "Edit");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Nothing is changed yet").waitFor();

      await page.getByLabel("Description").fill("mine");
      await patch(id, { timeoutMs: 9_000, description: "theirs" });
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Somebody else has changed it").waitFor();
      await page.getByText("Description is now: theirs").waitFor();
      expect(await page.getByLabel("Description").inputValue()).toBe("mine");
      await shot(page, "endpoint-stale");
      expect(await seriousViolations(page)).toEqual([]);
      await page.getByLabel("Why").fill("a better name");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("heading", { name: "Configuration" }).waitFor();

      expect(await endpointAt("/ok")).toMatchObject({
        description: "mine",
        timeoutMs: 9_000,
      });
      await hasWhy("a better name");
      expect(ours(complaints)).toEqual([]);
    },
    LONG,
  );

  test(
    "a test event is sent, and what came back is shown as text",
    async () => {
      const { page, complaints } = await open();

      for (const [path, came] of [
        ["/ok", '"n":12345678901234567890'],
        ["/down", "⟨U+202E⟩gnp.exe"],
      ] as const) {
        await openEndpoint(page, path);
        await act(page, "Send a test…");
        await page.getByRole("button", { name: "Send", exact: true }).click();
        const body = page.getByRole("region", { name: "Response body" });
        await body.waitFor({ timeout: PATIENCE_MS });
        expect(await body.innerText()).toContain(came);
        await shot(page, `endpoint-test${path.replace("/", "-")}`);
        expect(await seriousViolations(page)).toEqual([]);
        await page.getByRole("button", { name: "Close" }).click();
      }

      expect(await page.evaluate("'pwned' in window")).toBe(false);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "it is paused with a reason, what comes is parked, and a resume tells how far it is",
    async () => {
      const { page, complaints } = await open();
      await openEndpoint(page, "/ok");

      await act(page, "Pause…");
      await page.getByLabel(/Why/).fill("they move");
      await page.getByRole("button", { name: "Pause", exact: true }).click();
      await page.getByText("Why: they move").waitFor();
      await hasWhy("they move");
      await parkOne();
      await page
        .getByText("1 delivery waits for a resume")
        .waitFor({ timeout: PATIENCE_MS });
      await act(page, "Resume…");
      await page.getByRole("button", { name: "Resume", exact: true }).click();
      await page.getByText(/^Resuming: /).waitFor({ timeout: PATIENCE_MS });
      await page.getByRole("button", { name: "Stop…" }).waitFor();
      await shot(page, "endpoint-resuming");
      expect(await seriousViolations(page)).toEqual([]);

      await page
        .getByText("Resumed: 1 delivery sent.")
        .waitFor({ timeout: PATIENCE_MS });
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "its secret is rotated; it is disabled, enabled, and deleted by its host's name",
    async () => {
      const { page, complaints } = await open();
      await call("POST /v1/endpoints", {
        tenantId: "acme",
        url: `${console.receiver().url}/short-lived`,
        eventTypes: ["nothing"],
      });
      await openEndpoint(page, "/short-lived");

      await act(page, "Rotate secret…");
      await page.getByRole("button", { name: "Make a new secret" }).click();
      const dialog = page.getByRole("dialog", { name: "The new secret" });
      const secret = await dialog.locator("output").innerText();
      await page.getByText("signs until").waitFor();
      // A browser closes a dialog at the second one, if it may be closed at all.
      for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
      await page.mouse.click(5, 5);
      expect(await dialog.locator("output").innerText()).toBe(secret);
      await dialog.getByRole("button", { name: "I have stored it" }).click();
      await dialog.waitFor({ state: "detached" });
      expect(await page.content()).not.toContain(secret);

      await act(page, "Disable…");
      await page.getByText("Nothing waits for it now.").waitFor();
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      await page.getByText("Why: by hand").waitFor();
      await act(page, "Enable…");
      await page.getByRole("button", { name: "Enable", exact: true }).click();
      await page.getByText("What it wants is delivered to it.").waitFor();

      await act(page, "Delete…");
      const confirm = page.getByRole("button", { name: "Delete", exact: true });
      expect(await confirm.isDisabled()).toBe(true);
      await page
        .getByLabel(/to confirm/)
        .fill(new URL(console.receiver().url).host);
      await confirm.click();
      await page.getByRole("heading", { name: "Endpoints" }).waitFor();
      await page.getByRole("link", { name: "/ok" }).waitFor();
      await waitFor(
        async () =>
          (await page.getByRole("link", { name: "/short-lived" }).count()) ===
          0,
      );
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a reader sees all and cannot act; a tenant's reader sees no tenants, and is told what is not shown",
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
      await openEndpoint(page, "/down");
      const acts = page.getByRole("group", { name: "Actions" });
      expect(await acts.count()).toBe(0);
      const { id } = await endpointAt("/down");
      for (const path of [`#/endpoints/${id}/edit`, "#/endpoints/new"]) {
        await page.evaluate(`location.hash = ${JSON.stringify(path)}`);
        await page.getByText(/^Only an administrator/).waitFor();
      }

      const other = await open({ key: tenant!.token });
      await openList(other.page);
      await other.page.getByText("How they do cannot be shown").waitFor();
      await other.page.getByRole("link", { name: "/ok" }).waitFor();
      expect(
        await other.page.getByRole("columnheader", { name: "Tenant" }).count(),
      ).toBe(0);
    },
    LONG,
  );

  test(
    "what others have written is text, and widens no page",
    async () => {
      const { page, complaints } = await open({ width: 390 });
      const { id } = await endpointAt("/down");
      await patch(id, {
        description: HOSTILE,
        headers: { "x-note": "<b>x</b>", "x-long": "y".repeat(900) },
      });
      const widths: unknown[] = [];
      const measure = async (): Promise<void> =>
        void widths.push(await widerBy(page));

      await openList(page);
      await page.getByText("⟨U+202E⟩gnp.exe").first().waitFor();
      await measure();
      await openEndpoint(page, "/down");
      await page.getByText("<b>x</b>").waitFor();
      await measure();
      await act(page, "Edit");
      await page.getByLabel("Description").waitFor();
      await measure();

      expect(widths).toEqual([0, 0, 0]);
      expect(await page.evaluate("'pwned' in window")).toBe(false);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "an open breaker, and what waits for it, is told",
    async () => {
      await call("POST /v1/endpoints", {
        tenantId: "acme",
        url: `${console.receiver().url}/broken`,
        eventTypes: ["broken.*"],
      });
      let n = 0;
      await waitFor(
        async () => {
          n += 1;
          await call("POST /v1/events", {
            id: `broken-${n}`,
            type: "broken.down",
            tenantId: "acme",
            payload: {},
          });
          const { rows } = await call<{ rows: readonly unknown[] }>(
            "GET /v1/queries/breaker-time?since=1h",
          );
          return rows.length > 0;
        },
        { what: "the breaker", everyMs: 200, timeoutMs: PATIENCE_MS },
      );
      const { page, complaints } = await open();

      await openList(page);
      const row = page.getByRole("row").filter({ hasText: "/broken" });
      await row.getByText("Open").waitFor();
      await openEndpoint(page, "/broken");
      await page.getByText("open since").waitFor();
      await page
        .getByText(/waits? because the circuit breaker was open/)
        .waitFor({ timeout: PATIENCE_MS });
      await shot(page, "endpoint-breaker");
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "with the console alone: why a delivery failed, its endpoint's URL repaired, what failed redriven, and delivered",
    async () => {
      const { page, complaints } = await open();
      const pages = page.getByRole("navigation", {
        name: "Pages",
        exact: true,
      });
      await pages.getByRole("link", { name: "Deliveries" }).click();
      await page.getByRole("button", { name: "Given up" }).click();
      await page.waitForURL(/status=expired$/);
      await page.getByRole("link", { name: "invoice.due" }).first().click();
      await page.getByText("The receiver answered 503.").last().waitFor();
      await page.getByRole("link", { name: /\/down$/ }).click();
      await page.getByRole("heading", { name: "Configuration" }).waitFor();

      await act(page, "Edit");
      const url = page.getByLabel("URL", { exact: true });
      await url.fill((await url.inputValue()).replace(/down$/, "well"));
      await page.getByLabel("Why").fill("the path was wrong");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("heading", { name: /well/ }).waitFor();
      await act(page, "Redrive what failed…");
      await page.getByText("once more").waitFor();
      await page.getByLabel(/Why/).fill("it is repaired");
      await page.getByRole("button", { name: "Send again" }).click();

      await page
        .getByText(/^Done: (\d+) of \1 deliver(y|ies) sent\.$/)
        .waitFor({ timeout: PATIENCE_MS });
      await shot(page, "endpoint-redriven");
      await page.keyboard.press("Escape");
      await page.getByRole("link", { name: "All deliveries" }).click();
      await page.getByRole("button", { name: "Delivered" }).click();
      await page.waitForURL(/status=delivered/);
      await waitFor(
        async () => {
          await page.getByRole("button", { name: "Refresh" }).click();
          return (await rowsOf(page)) > 0;
        },
        { what: "a row", everyMs: 500, timeoutMs: PATIENCE_MS },
      );
      await page.getByRole("link", { name: "invoice.due" }).first().waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a secret that comes when its page is left is shown where people are, and so is why there is none",
    async () => {
      const { page } = await open();
      const answered = Promise.withResolvers<void>();
      await page.route(/\/v1\/endpoints$/, async (route) => {
        if (route.request().method() === "POST") await answered.promise;
        await route.continue();
      });
      await page.goto(`${console.url()}/#/endpoints/new`);
      await page
        .getByLabel("URL", { exact: true })
        .fill(`${console.receiver().url}/left`);
      await page.getByLabel("Event types").fill("left.*");
      await page.getByLabel("Tenant").fill("acme");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByRole("link", { name: "Deliveries", exact: true }).click();
      await page.getByRole("heading", { name: "Deliveries" }).waitFor();
      answered.resolve();

      const dialog = page.getByRole("dialog", { name: "The new secret" });
      expect(await dialog.locator("output").innerText()).toMatch(/^whsec_/);
      await dialog.getByText("/left").waitFor();
      await page.goBack();
      expect(await dialog.locator("output").innerText()).toMatch(/^whsec_/);
      await page.goForward();
      await dialog.getByRole("button", { name: "I have stored it" }).click();
      await dialog.waitFor({ state: "detached" });
      expect(page.url()).toMatch(/#\/deliveries$/);

      const refused = Promise.withResolvers<void>();
      await page.route(/rotate-secret$/, async (route) => {
        await refused.promise;
        await route.fulfill({
          status: 503,
          json: { title: "Not now", detail: "The writer changes." },
        });
      });
      await openEndpoint(page, "/left");
      await act(page, "Rotate secret…");
      await page.getByRole("button", { name: "Make a new secret" }).click();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      refused.resolve();
      const none = page.getByRole("dialog", { name: "There is no new secret" });
      await none.getByText("The writer changes.").waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await none.getByRole("button", { name: "Close" }).click();
    },
    LONG,
  );

  test(
    "a deleted endpoint is nowhere: neither in the list that was read before nor at its address",
    async () => {
      const { page } = await open();
      const { url } = console.receiver();
      await call("POST /v1/endpoints", {
        tenantId: "acme",
        url: `${url}/deleted`,
        eventTypes: ["nothing"],
      });
      const { id } = await endpointAt("/deleted");
      await openEndpoint(page, "/deleted");
      await page.route(/\/v1\/endpoints\?/, (route) => route.abort());

      await act(page, "Delete…");
      await page.getByLabel(/to confirm/).fill(new URL(url).host);
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByRole("heading", { name: "Endpoints" }).waitFor();
      // What is shown is what was read before: the list is not answered any more.
      await page.getByRole("link", { name: "/ok" }).waitFor();
      expect(await page.getByRole("link", { name: "/deleted" }).count()).toBe(
        0,
      );
      await page.evaluate(`location.hash = "#/endpoints/${id}"`);
      await page.getByRole("alert").waitFor();
      expect(await page.getByText("/deleted").count()).toBe(0);
      expect(await page.getByRole("group", { name: "Actions" }).count()).toBe(
        0,
      );
    },
    LONG,
  );
});

/** What goes through the whole console, in a real browser: following a list, UTC or local, the palette, the focus, and the head. */
import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import { seriousViolations, signIn } from "./console/chromium.ts";
import { describeInChromium, LOOKS, looking, shot } from "./console/looks.ts";
import {
  ADMIN_KEY,
  LONG,
  openGivenUp,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const console = useConsole();
const { call } = console;
const open = (how: Parameters<typeof console.open>[0] = {}) =>
  console.open({ url: `${console.url()}/#/deliveries`, ...how });

interface Listed {
  readonly deliveries: readonly {
    readonly id: string;
    readonly eventId: string;
  }[];
}

/** Publishes an event, and waits until its delivery is in the API's list. */
async function publish(id: string): Promise<void> {
  await call("POST /v1/events", {
    id,
    type: "order.paid",
    tenantId: "acme",
    payload: {},
  });
  await waitFor(
    async () =>
      (await call<Listed>(`GET /v1/deliveries?eventId=${id}`)).deliveries
        .length === 1,
    { what: `the delivery of ${id}`, everyMs: 200, timeoutMs: PATIENCE_MS },
  );
}

const eventsOf = async (page: Page): Promise<string[]> =>
  await page.locator("tbody td:nth-child(2) small").allInnerTexts();

/** What has the focus: where a link leads, or else its text. */
const focused = async (page: Page): Promise<unknown> =>
  await page.evaluate(
    "document.activeElement.hash || document.activeElement.textContent",
  );

describeInChromium("what goes through the whole console", () => {
  test(
    "filters by a pattern of types and by attempts",
    async () => {
      const { page } = await open();
      await page.getByText("More filters").click();

      await page.getByLabel("Event type").fill("order.*");
      await page.keyboard.press("Enter");
      await waitFor(async () => (await rowsOf(page)) === 3);
      await page.getByLabel("Event type").fill("ord*");
      await page.keyboard.press("Enter");
      await page.getByText(/must be a dotted type/).waitFor();
      await page.getByLabel("Event type").fill("");
      await page.getByLabel("Attempts, at least").fill("2");
      await page.keyboard.press("Enter");

      await page.waitForURL(/#\/deliveries\?minAttempts=2$/);
      await waitFor(async () => (await rowsOf(page)) === 1);
    },
    LONG,
  );

  test(
    "whoever comes back to a list finds it as it was, with the focus on the row; and on the button, once a dialog is closed",
    async () => {
      const { page, complaints } = await open();
      await page.getByRole("button", { name: "Delivered" }).click();
      await waitFor(async () => (await rowsOf(page)) === 3);
      const second = page.locator("a[data-row]").nth(1);
      const { hash } = new URL(
        (await second.getAttribute("href")) ?? "",
        page.url(),
      );

      await page.locator("tbody tr").nth(1).locator("td").first().click();
      await page.getByRole("heading", { name: "What happened" }).waitFor();
      await page.getByRole("button", { name: /Redrive/ }).click();
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await focused(page)).toBe("Redrive…");
      await page.getByRole("link", { name: "Back", exact: true }).click();
      await waitFor(async () => (await focused(page)) === hash);

      expect(page.url()).toMatch(/#\/deliveries\?status=delivered$/);
      await page.keyboard.press("j");
      const third = await focused(page);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "What happened" }).waitFor();
      await page.goBack();
      await waitFor(async () => (await focused(page)) === third);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "the palette leads to pages, filters and ids, and does what can be done, by keyboard alone",
    async () => {
      const { token } = await call<{ token: string }>("POST /v1/keys", {
        name: "palette",
        role: "reader",
      });
      const { page, complaints } = await open({ key: token });
      const { deliveries } = await call<Listed>("GET /v1/deliveries?limit=1");
      const [delivery] = deliveries;
      const palette = page.getByRole("combobox", { name: /an id/ });
      const chosen = page
        .getByRole("listbox", { name: "What there is" })
        .getByRole("option", { selected: true });

      await page.keyboard.press("/");
      await page.keyboard.press("Control+k"); // from within the search field
      await palette.waitFor();
      await page.keyboard.type("hour failed");
      expect(await chosen.innerText()).toContain("Failed in the last hour");
      expect(await palette.getAttribute("aria-activedescendant")).toBe(
        await chosen.getAttribute("id"),
      );
      await page.keyboard.press("Enter");
      await page.waitForURL(/\?status=failed(,|%2C)expired&since=1h$/);
      await waitFor(async () => (await rowsOf(page)) === 1);

      await page.getByRole("button", { name: /Go to/ }).click();
      await page.keyboard.insertText(` ${delivery!.id} `);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "What happened" }).waitFor();
      expect(page.url()).toContain(`#/deliveries/${delivery!.id}`);

      await page.keyboard.press("Control+k");
      await page.keyboard.insertText("evt-0");
      await page.getByRole("option", { name: /Deliveries of event/ }).click();
      await page.waitForURL(/\?eventId=evt-0$/);
      await waitFor(async () => (await rowsOf(page)) === 1);

      await page.getByRole("button", { name: /Go to/ }).click();
      const first = await chosen.innerText();
      await page.keyboard.press("ArrowDown");
      expect(await chosen.innerText()).not.toBe(first);
      await page.keyboard.press("ArrowUp");
      expect(await chosen.innerText()).toBe(first);
      await page.keyboard.insertText("\u202Eevt");
      expect(await chosen.innerText()).toContain("⟨U+202E⟩evt");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await focused(page)).toMatch(/^Go to/);

      await page.keyboard.press("Control+k");
      await page.keyboard.type("sign out");
      await page.keyboard.press("Enter");
      await page.getByLabel("API key", { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "times are in UTC or local, also in filters; the choice and the colours are all that outlives the tab",
    async () => {
      const { page, complaints } = await open({ timezoneId: "Asia/Kolkata" });
      await openGivenUp(page);
      const first = page.locator("ol time").first();
      expect(await first.innerText()).toMatch(/ UTC$/);

      await page.getByRole("button", { name: /^UTC/ }).click();
      expect(await first.innerText()).toMatch(/ \+05:30$/);
      await page.getByRole("button", { name: /Change to dark/ }).click();
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await first.waitFor();
      expect(await first.innerText()).toMatch(/ \+05:30$/);
      await page
        .getByRole("link", { name: "All deliveries" })
        .or(page.getByRole("link", { name: "Back", exact: true }))
        .click();
      await page.getByText("More filters").click();
      await page
        .getByLabel("Received before (local time)")
        .fill("2020-01-01T00:00:00");
      await page.keyboard.press("Enter");

      await page.waitForURL(/\?until=2019-12-31T18%3A30%3A00Z$/);
      await page.getByText("No delivery matches").waitFor();
      await page.getByRole("button", { name: /^Local/ }).click();
      expect(
        await page.getByLabel("Received before (UTC)").inputValue(),
      ).toMatch(/^2019-12-31T18:30/);
      expect(
        await page.evaluate(
          "[Object.keys(localStorage).toSorted(), document.cookie]",
        ),
      ).toEqual([["mantine-color-scheme-value", "postrider-times"], ""]);
      // In the other one the router has how far pages were scrolled, from before the reload.
      expect(
        await page.evaluate(
          "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])",
        ),
      ).not.toContain(ADMIN_KEY);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test.each(LOOKS)(
    "the head holds ten pages, and axe finds nothing serious: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const { look, found } = looking(page, how);
      await waitFor(async () => (await rowsOf(page)) === 4);

      // As many as there may be one day, the one that is shown in the middle of them.
      await page.evaluate(`
        const nav = document.querySelector("header nav");
        for (const name of ["Overview", "Endpoints", "Dead letters", "Replays", "SQL", "System", "Audit", "Keys", "Event types"].slice(nav.children.length - 1)) {
          const link = nav.lastElementChild.cloneNode();
          link.removeAttribute("aria-current");
          link.textContent = name;
          nav.append(link);
        }
      `);
      const links = page
        .getByRole("navigation", { name: "Pages", exact: true })
        .getByRole("link");
      expect(await links.count()).toBe(10);
      await links.last().focus();
      expect(
        await page.evaluate(
          "const { left, right } = document.activeElement.getBoundingClientRect(); ({ isInside: left >= 0 && right <= innerWidth, wide: document.documentElement.scrollWidth - innerWidth })",
        ),
      ).toEqual({ isInside: true, wide: 0 });
      await links.first().focus();
      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.getByText("More filters").click();
      await look("shell");
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
      await look("palette");
      await page.keyboard.insertText("no such thing");
      await look("nothing");

      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "Live adds what comes in at the top, never more than a page, and stops for whoever is in the list",
    async () => {
      const { page, complaints } = await open();
      await waitFor(async () => (await rowsOf(page)) === 4);
      const stopped = page.getByText("Live has stopped");
      const comes = (id: string): Promise<unknown> =>
        waitFor(async () => (await eventsOf(page))[0] === id, {
          what: `${id} on top`,
          everyMs: 200,
          timeoutMs: PATIENCE_MS,
        });

      await page.getByRole("button", { name: "Live", exact: true }).click();
      await page.waitForURL(/#\/deliveries\?live=1$/);
      await publish("live-1");
      await comes("live-1");
      expect(await stopped.count()).toBe(0);

      await page.keyboard.press("j");
      await stopped.waitFor();
      const read = await eventsOf(page);
      await publish("live-2");
      expect(await eventsOf(page)).toEqual(read);
      await shot(page, "live-stopped", { fullPage: false });
      await page.getByRole("button", { name: "Go on" }).click();
      await comes("live-2");

      for (let n = 3; n < 60; n += 1)
        await call("POST /v1/events", {
          id: `live-${n}`,
          type: "order.paid",
          tenantId: "acme",
          payload: {},
        });
      await publish("live-60");
      await comes("live-60");
      await waitFor(async () => (await rowsOf(page)) >= 50, {
        what: "a whole page",
        everyMs: 200,
        timeoutMs: PATIENCE_MS,
      });
      expect(await rowsOf(page)).toBe(50);
      await page.evaluate("scrollTo(0, 1_500)");
      await stopped.waitFor();
      await page.getByRole("button", { name: "Go on" }).click();
      await publish("live-61");
      await comes("live-61");
      await page.getByRole("button", { name: "Older" }).click();

      await page.waitForURL(/#\/deliveries\?cursor=[\w-]+$/);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "nothing moves for whoever wants it so; what could not be read anew is still shown, and from when",
    async () => {
      const { page } = await open();
      await waitFor(async () => (await rowsOf(page)) >= 4);
      const list = /\/v1\/deliveries\?/;
      await page.route(list, (route) => route.abort());
      await page.getByRole("button", { name: "Refresh" }).click();
      await page
        .getByText(/^What is below was read /)
        .waitFor({ timeout: PATIENCE_MS });
      expect(await rowsOf(page)).toBeGreaterThanOrEqual(4);
      expect(await seriousViolations(page)).toEqual([]);
      await page.unroute(list);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText(/^What is below/).waitFor({ state: "detached" });

      await page.route(list, () => {}); // never answered
      await page.getByText("Given up", { exact: true }).first().waitFor();
      await page.goto(`${console.url()}/#/deliveries?status=pending`);
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await page.getByText("Loading deliveries").waitFor();
      const moving = (): Promise<number> =>
        // What follows the scrolling moves only with it.
        page.evaluate(
          "document.getAnimations().filter(({ timeline, playState }) => timeline === document.timeline && playState === 'running').length",
        );
      await waitFor(async () => (await moving()) === 0, {
        what: "a still page",
        timeoutMs: PATIENCE_MS,
      });
    },
    LONG,
  );

  test(
    "after an upgrade a page that was not loaded yet says so, and nobody is signed out; what may pass is tried again",
    async () => {
      const { page } = await open();
      await waitFor(async () => (await rowsOf(page)) >= 4);
      const gone = /\/assets\/endpoints-page/;
      await page.route(gone, (route) => route.fulfill({ status: 404 }));
      await page.route(`${console.url()}/`, (route) =>
        route.fulfill({ body: '<script src="./assets/index-next.js">' }),
      );

      await page.keyboard.press("g");
      await page.keyboard.press("e");
      await page
        .getByRole("heading", { name: "The console was upgraded" })
        .waitFor();
      expect(page.url()).toMatch(/#\/endpoints$/);
      expect(await seriousViolations(page)).toEqual([]);
      await page.keyboard.press("g");
      await page.keyboard.press("d");
      await waitFor(async () => (await rowsOf(page)) >= 4);

      await page.unroute(`${console.url()}/`);
      await page.keyboard.press("g");
      await page.keyboard.press("e");
      await page
        .getByRole("heading", { name: "A part of the console did not come" })
        .waitFor();
      await page.unroute(gone);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("link", { name: "/down" }).waitFor();
    },
    LONG,
  );
});

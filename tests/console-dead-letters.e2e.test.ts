/** The console's pages of dead letters and of replays in a real browser, on the whole stack. */
import { beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import { chromiumPath, ours } from "./console/chromium.ts";
import {
  describeInChromium,
  LOOKS,
  looking,
  shot,
  widerBy,
} from "./console/looks.ts";
import {
  LONG,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const HOSTILE = `<img src=x onerror="window.pwned=1">\u202Egnp.exe ${"long".repeat(60)}`;
/** Enough that a replay of one a second can be paused. */
const SENT_AGAIN = 120;

const console = useConsole();
const { call, open } = console;

interface Letters {
  readonly deadLetters: readonly { readonly deliveryId: string }[];
}
const lettersOf = async (tenantId: string): Promise<Letters["deadLetters"]> =>
  (await call<Letters>(`GET /v1/dead-letters?tenantId=${tenantId}`))
    .deadLetters;

/** Two dead letters of another tenant, deliveries that were accepted, and a replay of nothing with what somebody wrote. */
async function generate(): Promise<void> {
  await call("POST /v1/endpoints", {
    tenantId: "globex",
    url: `${console.receiver().url}/bills`,
    eventTypes: ["bill.*"],
    maxAttempts: 1,
  });
  const publish = (tenantId: string, type: string, id: string) =>
    call("POST /v1/events", { id, type, tenantId, payload: {} });
  for (let n = 0; n < SENT_AGAIN; n += 1)
    await publish("acme", "order.paid", `evt-more-${n}`);
  let published = 0;
  await waitFor(
    async () => {
      // Route does not know the endpoint at once: what it does not route has no delivery.
      await publish("globex", "bill.due", `evt-bill-${(published += 1)}`);
      return (await lettersOf("globex")).length >= 2;
    },
    { what: "dead letters", everyMs: 1_000, timeoutMs: PATIENCE_MS },
  );
  await call("POST /v1/replays", {
    tenantId: "acme",
    reasons: ["blocked"],
    confirm: true,
    why: HOSTILE,
  });
}

beforeAll(async () => {
  if (chromiumPath !== "") await generate();
}, LONG);

async function openLetters(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Dead letters", exact: true }).click();
  await page.getByRole("heading", { name: "Dead letters" }).waitFor();
  await waitFor(async () => (await rowsOf(page)) === 2);
}

async function openReplays(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Replays", exact: true }).click();
  await page.getByRole("heading", { name: "Replays" }).waitFor();
  await page.getByRole("row").nth(1).waitFor();
}

describeInChromium("dead letters and replays in Chromium", () => {
  test(
    "by keyboard: to the groups, into one, to a delivery; a filter is in the URL",
    async () => {
      const { page, complaints } = await open();

      await page.keyboard.press("g");
      await page.keyboard.press("l");
      await page.getByRole("heading", { name: "Dead letters" }).waitFor();
      await waitFor(async () => (await rowsOf(page)) === 2);
      await page.keyboard.press("/");
      await page.keyboard.press("Tab"); // Tenant
      await page.keyboard.type("acme");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/dead-letters\?tenantId=acme$/);
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.getByRole("button", { name: "Refresh" }).focus();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByText("All attempts are used up.").waitFor();
      await page.getByText("The last answer was 503.").waitFor();
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByText("Given up after 2 attempts.").waitFor();
      await page.keyboard.press("g");
      await page.keyboard.press("r");
      await page.getByRole("heading", { name: "Replays" }).waitFor();
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");

      await page.getByText("What it selects").waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "several groups are previewed together, and single ones of a group; nothing is sent before",
    async () => {
      const { page, complaints } = await open();
      await openLetters(page);

      await page
        .getByRole("checkbox", { name: "All groups that can be sent again" })
        .check();
      await page
        .getByText(/^2 groups chosen: \d+ open dead letters\.$/)
        .waitFor();
      await page.getByRole("button", { name: "Redrive…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText(/^\d+ events are sent once more/).waitFor();
      expect(await dialog.locator("tbody tr").count()).toBe(2);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      expect(
        await page.evaluate("document.activeElement.textContent"),
      ).toContain("Redrive…");

      await page
        .getByRole("row", { name: /globex/ })
        .getByRole("link")
        .click();
      await page.getByText("Tenant globex.").waitFor();
      await page
        .getByRole("checkbox", { name: /evt-bill/ })
        .first()
        .check();
      await page.getByText("1 dead letter chosen.").waitFor();
      await page.getByRole("button", { name: "Redrive…" }).click();
      await dialog.getByText("once more, as a new delivery").waitFor();

      const { replays } = await call<{ replays: readonly unknown[] }>(
        "GET /v1/replays",
      );
      expect(replays).toHaveLength(1);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a reader sees all and cannot act",
    async () => {
      const { token } = await call<{ token: string }>("POST /v1/keys", {
        name: "console",
        role: "reader",
      });
      const { page } = await open({ key: token });

      await openLetters(page);
      await page
        .getByRole("row", { name: /globex/ })
        .getByRole("link")
        .click();
      await page.getByText("Tenant globex.").waitFor();
      await page.getByRole("link", { name: "bill.due" }).first().waitFor();
      const buttons = page.getByRole("button", { name: /Redrive|New replay/ });
      expect(await page.getByRole("checkbox").count()).toBe(0);
      expect(await buttons.count()).toBe(0);
      await openReplays(page);
      expect(await buttons.count()).toBe(0);
      await page.goto(`${console.url()}/#/replays/new`);

      await page
        .getByRole("heading", { name: "A reader makes no replays" })
        .waitFor();
    },
    LONG,
  );

  test(
    "what somebody wrote as a reason is text: nothing of it runs, turns the text around or widens the page",
    async () => {
      const { page, complaints } = await open({ width: 390 });

      await openReplays(page);
      await page.getByText("⟨U+202E⟩gnp.exe").waitFor();
      const widths = [await widerBy(page)];
      await page.getByRole("link", { name: /gnp\.exe/ }).click();
      await page.getByText("What it selects").waitFor();
      widths.push(await widerBy(page));
      await openLetters(page);
      widths.push(await widerBy(page));

      expect({
        widths,
        isPwned: await page.evaluate("'pwned' in window"),
        images: await page.evaluate("document.images.length"),
      }).toEqual({ widths: [0, 0, 0], isPwned: false, images: 0 });
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test.each(LOOKS)(
    "axe finds nothing serious on any page: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const { look, found } = looking(page, how);

      await openLetters(page);
      await page
        .getByRole("checkbox", { name: "All groups that can be sent again" })
        .check();
      await look("dead-letters");
      await page.getByRole("button", { name: "Redrive…" }).click();
      await page.getByText(/are sent once more/).waitFor();
      await look("dead-letters-preview");
      await page.keyboard.press("Escape");
      await page
        .getByRole("row", { name: /exhausted/ })
        .first()
        .getByRole("link")
        .click();
      await page
        .getByRole("link", { name: /bill\.due|invoice\.due/ })
        .first()
        .waitFor();
      await look("dead-letters-group");
      await openReplays(page);
      await look("replays");
      await page.getByRole("row").nth(1).getByRole("link").click();
      await page.getByText("What it selects").waitFor();
      await look("replay");
      await page.getByRole("link", { name: "All replays" }).click();
      await page.getByRole("button", { name: "New replay…" }).click();
      await page.getByRole("heading", { name: "New replay" }).waitFor();
      await look("new-replay");

      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a replay by filter: it is seen before, then made, paused, resumed and cancelled",
    async () => {
      const { page, complaints } = await open();
      await openReplays(page);
      await page.getByRole("button", { name: "New replay…" }).click();
      // The list has a field of the same name, too.
      await page.getByRole("heading", { name: "New replay" }).waitFor();
      await page.getByLabel("Tenant", { exact: true }).fill("acme");
      await page
        .getByLabel("Status", { exact: true })
        .selectOption("delivered");
      await page.getByLabel("At most, a second").fill("1");
      await page.keyboard.press("Enter");
      await page.waitForURL(
        /new\?tenantId=acme&statuses=delivered&ratePerSecond=1$/,
      );
      await page
        .getByText(/^\d+ events are sent once more.* At 1 a second/)
        .waitFor();
      await page.getByLabel(/Why/).fill("they lost them");
      await page.getByRole("button", { name: "Send again" }).click();
      await page.getByText("they lost them").waitFor();
      await page.getByText(/^about \d/).waitFor({ timeout: PATIENCE_MS });
      await shot(page, "replay-running", { fullPage: false });

      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("Paused", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByText("Running", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Cancel…" }).click();
      const dialog = page.getByRole("dialog", { name: "Cancel this replay" });
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Cancel…" }).click();
      await shot(page, "replay-cancel", { fullPage: false });
      await dialog.getByLabel(/Why/).fill("it was the wrong tenant");
      await dialog.getByRole("button", { name: "Cancel the replay" }).click();

      await page.getByText("Cancelled", { exact: true }).waitFor();
      expect(
        await page.getByRole("button", { name: /Pause|Cancel/ }).count(),
      ).toBe(0);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "the receiver is repaired, a group sent again, and it is open no more",
    async () => {
      const { page, complaints } = await open();
      console.receiver().answerWith(200);
      await openLetters(page);
      const letters = (await lettersOf("globex")).length;

      await page
        .getByRole("checkbox", { name: /^Choose exhausted/ })
        .nth(0)
        .waitFor();
      await page
        .getByRole("row", { name: /globex/ })
        .getByRole("checkbox")
        .check();
      await page.getByRole("button", { name: "Redrive…" }).click();
      await page.getByLabel(/Why/).fill("their receiver is back");
      await page
        .getByRole("button", { name: "Send again", disabled: false })
        .click();
      await page
        .getByText("Done", { exact: true })
        .waitFor({ timeout: PATIENCE_MS });
      await page.getByText(`${letters} of ${letters}`).waitFor();
      await page
        .getByText(
          /to the endpoint ep_\S+, for the reason exhausted, last answered with 503/,
        )
        .waitFor();
      await page
        .getByRole("link", { name: "The deliveries that it made" })
        .click();
      await page.waitForURL(/#\/deliveries\?replayId=rpl_/);
      await waitFor(
        async () => {
          await page.getByRole("button", { name: "Refresh" }).click();
          return (await rowsOf(page)) === letters;
        },
        { what: "the new deliveries", everyMs: 500, timeoutMs: PATIENCE_MS },
      );
      await page
        .getByRole("link", { name: "Dead letters", exact: true })
        .click();
      await waitFor(
        async () => {
          await page.getByRole("button", { name: "Refresh" }).click();
          return (await rowsOf(page)) === 1;
        },
        { what: "one group", everyMs: 500, timeoutMs: PATIENCE_MS },
      );
      await page
        .getByRole("button", { name: "Also those delivered since" })
        .click();
      await page.waitForURL(/show=all$/);
      await waitFor(async () => (await rowsOf(page)) === 2);

      expect(
        await page
          .getByRole("row", { name: /globex/ })
          .getByRole("checkbox")
          .isDisabled(),
      ).toBe(true);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "single keys work from a box, too: j goes to its row's neighbour, g to another page",
    async () => {
      const { page, complaints } = await open();
      await page.goto(`${console.url()}/#/dead-letters?show=all`);
      await waitFor(async () => (await rowsOf(page)) === 2);
      const all = page.getByRole("checkbox", { name: /^All groups/ });

      await all.focus();
      await page.keyboard.press("j");
      const first = await page.evaluate("document.activeElement.hash");
      expect(first).toMatch(/^#\/dead-letters\/group/);
      await all.focus();
      await page.keyboard.press("g");
      await page.keyboard.press("r");

      await page.getByRole("heading", { name: "Replays" }).waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a time is typed by the chosen clock into each filter, and a choice leaves what is typed",
    async () => {
      const { page, complaints } = await open({ timezoneId: "Asia/Kolkata" });
      for (const [path, heading, choice, chosen, query] of [
        ["dead-letters", "Dead letters", "Reason", "gone", "reason=gone"],
        ["replays", "Replays", "Made", "7d", "since=7d"],
      ] as const) {
        await page.goto(`${console.url()}/#/${path}`);
        // The page before has a field of the same name, too.
        await page
          .getByRole("heading", { name: heading, exact: true })
          .waitFor();
        await page.getByLabel("Tenant", { exact: true }).fill("glo");
        await page.getByLabel(choice, { exact: true }).selectOption(chosen);
        await page.waitForURL(new RegExp(`#/${path}\\?${query}$`));
        expect(
          await page.getByLabel("Tenant", { exact: true }).inputValue(),
        ).toBe("glo");
        await page.getByLabel("Until (UTC)").fill("2020-01-01T00:00:00");
        await page.keyboard.press("Enter");
        await page.waitForURL(/until=2020-01-01T00%3A00%3A00Z/);
        expect(page.url()).toContain("tenantId=glo");
      }

      await page.getByRole("button", { name: /^UTC/ }).click();
      await page.goto(`${console.url()}/#/replays/new`);
      await page
        .getByLabel("Received before (local time)")
        .fill("2020-01-01T00:00:00");
      await page.keyboard.press("Enter");
      await page.waitForURL(/new\?receivedUntil=2019-12-31T18%3A30%3A00Z$/);
      await page.getByText(/^Nothing is selected/).waitFor();
      expect(ours(complaints)).toEqual([]);
    },
    LONG,
  );
});

/** How many pixels the page is wider than the window. */

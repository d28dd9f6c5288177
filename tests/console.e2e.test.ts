/** The console in a real browser, on the whole stack, with deliveries that went well and that did not. */
import { afterAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { openPage, signIn } from "./console/chromium.ts";
import { startPrefixProxy } from "./console/prefix-proxy.ts";
import {
  describeInChromium,
  harmOf,
  LOOKS,
  looking,
  NO_HARM,
} from "./console/looks.ts";
import {
  ADMIN_KEY,
  LONG,
  openGivenUp,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

/** Where a delivery and its attempts have texts of others. */
const LONG_TEXTS = new Set(["eventType", "responseBody", "error"]);

const console = useConsole();
const { call, open } = console;
const ended: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ended) await end();
});

describeInChromium("the console in Chromium", () => {
  test(
    "a wrong key is refused in words; the right one is kept in no storage, cookie or URL",
    async () => {
      const { page } = await openPage(console.browser(), {
        url: `${console.url()}/`,
      });

      await page.locator("input[name=key]:focus").waitFor();
      await page.keyboard.type("wrong");
      await page.keyboard.press("Enter");
      await page.getByText("This key is not valid").waitFor();
      // The page that is opened next is loaded by then: whoever signs in waits for its rows alone.
      const parts = (): Promise<readonly string[]> =>
        page.evaluate(
          "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\\.(js|css)$/.test(name)).toSorted()",
        );
      await waitFor(
        async () =>
          (await parts()).some((name) => /overview-page.*js$/.test(name)),
        { what: "the overview's part", timeoutMs: PATIENCE_MS },
      );
      // Its chunks and styles are on their way beside it.
      await page.waitForLoadState("networkidle");
      const loaded = await parts();
      await page.keyboard.press("Control+A");
      await page.keyboard.type(ADMIN_KEY);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Overview" }).waitFor();

      expect(await parts()).toEqual(loaded);
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
      await attempts.nth(1).waitFor();
      expect(await attempts.allInnerTexts()).toEqual([
        expect.stringMatching(/Attempt 1\s+✕ 503/),
        expect.stringMatching(
          /Attempt 2\s+✕ 503\s+.+, after waiting in tier \ds/,
        ),
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
      expect(await harmOf(page)).toEqual(NO_HARM);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a line of 1 MB in every text of a delivery is cut, and shown whole where somebody asks for it",
    async () => {
      const { page, complaints } = await open({ width: 390 });
      const line = `<script>window.pwned=1</script>\u202Egnp.exe ${"x".repeat(1_000_000)}`;
      await page.route(/\/v1\/deliveries\/[^/?]+$/, async (route) => {
        const response = await route.fetch();
        const text = await response.text();
        const answer: unknown = JSON.parse(text, (key, value: unknown) => {
          if (key === "x-note") return line;
          return LONG_TEXTS.has(key) && typeof value === "string"
            ? line
            : value;
        });
        await route.fulfill({ response, json: answer });
      });

      await page.getByRole("link", { name: "invoice.due" }).click();
      const body = page
        .getByRole("region", { name: "Response body of attempt 2" })
        .last();
      await body.waitFor();
      expect((await body.innerText()).length).toBeLessThan(30_000);
      const heading = page.getByRole("heading", { level: 1 });
      expect((await heading.innerText()).length).toBeLessThan(30_000);
      await page
        .getByRole("button", { name: /^Show all of it \(/ })
        .last()
        .click();
      await waitFor(async () => (await body.innerText()).length > 1_000_000, {
        what: "all of it",
        timeoutMs: PATIENCE_MS,
      });

      expect(await harmOf(page)).toEqual(NO_HARM);
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

  test.each(LOOKS)(
    "axe finds nothing serious on any page: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const { look, found } = looking(page, how);

      await waitFor(async () => (await rowsOf(page)) === 4);
      await look("deliveries");
      await page.keyboard.press("?");
      await look("help");
      await page.keyboard.press("Escape");
      await openGivenUp(page);
      await look("delivery");
      await page.getByRole("button", { name: /Redrive/ }).click();
      await page.getByText("once more").waitFor();
      await look("redrive");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key", { exact: true }).waitFor();
      await look("sign-in");

      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "below a path of a proxy: the receiver is repaired, the delivery sent again, and it arrives",
    async () => {
      const proxy = await startPrefixProxy("/ops/postrider", console.url());
      ended.push(proxy.close);
      const { page, complaints } = await open({
        url: `${proxy.url}#/deliveries`,
      });
      await openGivenUp(page);
      console.receiver().answerWith(200);
      const sent: string[] = [];
      page.on("request", (request) => {
        if (request.url().endsWith("/v1/replays")) sent.push(request.method());
      });

      await page.getByRole("button", { name: /Redrive/ }).click();
      await page.getByLabel(/Why/).fill("their receiver is back");
      // Both clicks of two come before the page can answer the first, as on a machine that is busy.
      await page
        .getByRole("button", { name: "Send again", disabled: false })
        .waitFor();
      await page.evaluate(
        "for (const _ of [1, 2]) document.querySelector('dialog button[type=submit]').click()",
      );

      await page
        .getByRole("link", { name: "The new delivery" })
        .click({ timeout: PATIENCE_MS });
      await page
        .getByText("Delivered after 1 attempt.")
        .waitFor({ timeout: PATIENCE_MS });
      await console.hasAudited("replay", "their receiver is back");
      expect(sent).toEqual(["POST"]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );
});

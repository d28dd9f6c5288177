/** The console's page for SQL in a real browser, on the whole stack. */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import type { SavedQueries } from "../services/console/src/api/answers-queries.ts";
import { withLiterals } from "../services/console/src/sql/literal-sql.ts";
import { seriousViolations, signIn } from "./console/chromium.ts";
import {
  describeInChromium,
  harmOf,
  LOOKS,
  looking,
  NO_HARM,
  shot,
} from "./console/looks.ts";
import {
  ADMIN_KEY,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const LONG = 300_000;

/** `worst-endpoints` */
const QUESTION = "Which endpoints fail most?";

const console = useConsole();
const { call, open } = console;

async function openSql(more: Parameters<typeof open>[0] = {}) {
  const opened = await open(more);
  await opened.page.getByRole("link", { name: "SQL", exact: true }).click();
  await opened.page
    .getByRole("heading", { name: "SQL", exact: true })
    .waitFor();
  return opened;
}

async function write(page: Page, sql: string): Promise<void> {
  await page.getByLabel("SQL", { exact: true }).fill(sql);
}

async function run(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
}

/** The texts of the result's cells, without the number of the row. */
async function cellsOf(page: Page): Promise<string[][]> {
  const rows = await page.locator("[data-result] tbody tr").all();
  return await Promise.all(
    rows.map(async (row) => (await row.locator("td").allInnerTexts()).slice(1)),
  );
}

async function saved(page: Page, button: string): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readFileSync(await file.path(), "utf8");
}

describeInChromium("the console's SQL in Chromium", () => {
  test(
    "by mouse: a column from the schema, the result to every digit, both files, and a link that runs nothing by itself",
    async () => {
      const { page, complaints, foreign } = await openSql();

      await write(page, "SELECT 18446744073709551615 AS most, max(");
      await page.locator("summary", { hasText: /^attempts$/ }).click();
      await page
        .getByText("The HTTP status", { exact: false })
        .or(page.getByText("HTTP status; NULL where none could be read."))
        .first()
        .waitFor();
      await page
        .getByRole("button", { name: "status_code", exact: true })
        .click();
      await page.keyboard.type(") AS worst, NULL AS nothing FROM attempts");
      await run(page);

      await page.getByText("1 row in").waitFor();
      expect(await cellsOf(page)).toEqual([
        ["18446744073709551615", "503", "NULL"],
      ]);
      expect(await saved(page, "Save CSV")).toBe(
        "most,worst,nothing\r\n18446744073709551615,503,\r\n",
      );
      expect(await saved(page, "Save JSON")).toContain(
        '"rows":[[18446744073709551615, 503, null]]',
      );
      expect(page.url()).not.toContain(ADMIN_KEY);
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await page.getByText("It runs when you say so").waitFor();
      expect(await page.getByLabel("SQL", { exact: true }).inputValue()).toBe(
        "SELECT 18446744073709551615 AS most, max(status_code) AS worst, NULL AS nothing FROM attempts",
      );
      expect(await rowsOf(page)).toBe(0);
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    },
    LONG,
  );

  test(
    "by keyboard: to the page, into the field, indented, run, a row opened, and out of the field again",
    async () => {
      const { page, complaints } = await open();
      await page.getByRole("heading", { name: "Deliveries" }).waitFor();

      await page.keyboard.press("g");
      await page.keyboard.press("q");
      await page.getByRole("heading", { name: "SQL", exact: true }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("SELECT number,");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.type("'#?&=%+ü' AS text FROM numbers(450)");
      await page.keyboard.press("Control+Enter");
      await page.getByText("450 rows in").waitFor();
      const field = page.getByLabel("SQL", { exact: true });
      const written = "SELECT number,\n  '#?&=%+ü' AS text FROM numbers(450)";
      expect(await field.inputValue()).toBe(written);
      await page.getByText("The first 200 of 450 rows").waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("Tab");
      const tag = "document.activeElement.tagName";
      expect(await page.evaluate(tag)).toBe("BUTTON");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: "Row 2" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });

      const focused = "document.activeElement.getAttribute('aria-label')";
      expect(await page.evaluate(focused)).toBe("Open row 2");
      // What is written is there again after another page, and from the link.
      await page.getByRole("link", { name: "Deliveries", exact: true }).click();
      await page.getByRole("heading", { name: "Deliveries" }).waitFor();
      await page.getByRole("link", { name: "SQL", exact: true }).click();
      expect(await field.inputValue()).toBe(written);
      await page.goBack();
      await page.goBack();
      await page.getByText("It runs when you say so").waitFor();
      expect(await field.inputValue()).toBe(written);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a mistake is told in ClickHouse's words, with its place; what is refused, too; a long text is in no link",
    async () => {
      const { page } = await openSql();

      await write(page, "-- why\nSELECT 'ü' FROM attempts\nGROUP outcome");
      await run(page);
      await page
        .getByRole("button", { name: "Go to line 3, column 7" })
        .click();

      const selected = "document.activeElement.selectionStart";
      expect(await page.evaluate(selected)).toBe(38);
      await write(page, "DROP TABLE attempts");
      await run(page);
      await page.getByText("must begin with SELECT").waitFor();
      await write(page, `SELECT 1 /* ${"x".repeat(5_000)} */`);
      await page
        .getByText("Too long for a link (4.9 KiB of 4.0 KiB)")
        .waitFor();
      await run(page);
      await page.getByText("1 row in").waitFor();
      expect(page.url()).toMatch(/#\/sql$/);
    },
    LONG,
  );

  test(
    "a query that runs can be cancelled, and is ended in ClickHouse",
    async () => {
      const { page } = await openSql();
      const mark = `mark_${Date.now()}`;
      await write(
        page,
        `SELECT count() AS ${mark} FROM numbers(1000000000000) WHERE sipHash64(number) = 1`,
      );

      await run(page);
      await page.getByRole("button", { name: "Cancel" }).click();

      await page.getByRole("heading", { name: "Cancelled" }).waitFor();
      await waitFor(
        async () => {
          const { rows } = await call<{ rows: readonly [readonly [number]] }>(
            "POST /v1/query",
            {
              sql: `SELECT count() FROM system.processes WHERE query LIKE '%${mark}%' AND query NOT LIKE '%processes%'`,
            },
          );
          return rows[0][0] === 0;
        },
        { what: "the query to end", everyMs: 300, timeoutMs: PATIENCE_MS },
      );
      await write(page, "SELECT 1");
      await run(page);
      await page.getByText("1 row in").waitFor();
    },
    LONG,
  );

  test(
    "a saved query: its parameters are in the URL, what is wrong is said at its field, and it opens in the editor",
    async () => {
      const { page, complaints } = await openSql();
      await page.getByRole("link", { name: "Saved queries" }).click();
      await page.getByRole("link", { name: QUESTION }).click();
      await page.getByRole("heading", { name: QUESTION }).waitFor();
      expect(await rowsOf(page)).toBe(0);
      await page.getByLabel("since", { exact: true }).fill("yesterday");
      await run(page);
      await page
        .getByText("must be a time: RFC 3339", { exact: false })
        .first()
        .waitFor();
      await page.getByLabel("since", { exact: true }).fill("6h");
      await page.getByLabel("min_attempts", { exact: true }).fill("1");
      await page.keyboard.press("Control+Enter");
      await page.getByText(/rows? in/).waitFor();

      expect(page.url()).toMatch(
        /#\/sql\/saved\/worst-endpoints\?since=6h&until=now&limit=\d+&min_attempts=1$/,
      );
      const rows = await cellsOf(page);
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await waitFor(async () => (await rowsOf(page)) === rows.length);
      await page.getByText("Its SQL", { exact: true }).click();
      await page.getByRole("button", { name: "Open in the editor" }).click();
      await page.getByLabel("SQL", { exact: true }).waitFor(); // the page before has a "Run", too
      await run(page);
      await waitFor(async () => (await rowsOf(page)) === rows.length);
      expect(await cellsOf(page)).toEqual(rows);
      expect(
        complaints.filter((said) => !said.includes("400 (Bad Request)")),
      ).toEqual([]);
    },
    LONG,
  );

  test(
    "a result over time is a chart, too, whose numbers are chosen",
    async () => {
      const { page, complaints } = await openSql();
      await write(
        page,
        "SELECT toDateTime(number * 3600, 'UTC') AS hour, number AS sent, number % 7 AS failed, number * 100 AS took_ms FROM numbers(24)",
      );

      await run(page);
      await page.getByRole("button", { name: "Chart" }).click();
      await page.getByRole("figure", { name: "sent, failed" }).waitFor();
      await page.getByLabel("Numbers").selectOption("took_ms");
      await page.getByRole("figure", { name: "took_ms" }).waitFor();
      await shot(page, "sql-chart-1280-light", { fullPage: false });

      expect(await seriousViolations(page)).toEqual([]);
      await run(page);
      await page.getByRole("figure", { name: "sent, failed" }).waitFor();
      await write(page, "SELECT 1");
      await run(page);
      await waitFor(async () => (await rowsOf(page)) === 1);
      expect(await page.getByRole("button", { name: "Chart" }).count()).toBe(0);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test("every saved query runs in the editor, with its values written into it", async () => {
    const { queries } = await call<SavedQueries>("GET /v1/queries");

    for (const query of queries) {
      const missing = query.parameters.filter((each) => each.default === null);
      const given = Object.fromEntries(
        missing.map(({ name, type }) => [name, type === "String" ? "x'" : "1"]),
      );
      await call("POST /v1/query", { sql: withLiterals(query, given) });
    }
  });

  test(
    "what receivers and publishers write is text, on a narrow page, too",
    async () => {
      const { page, complaints } = await openSql({ width: 390 });
      await write(
        page,
        "SELECT response_body, response_headers, delivery_id FROM attempts WHERE status_code = 503 ORDER BY attempt_number",
      );

      await run(page);
      await page.getByText("2 rows in").waitFor();
      const [first = []] = await cellsOf(page);
      await page.getByRole("button", { name: "Open row 1" }).click();
      const shown = await page
        .getByRole("region", { name: "response_body" })
        .innerText();

      expect(first[0]).toMatch(/^<script>window.*…$/);
      expect(shown).toContain("⟨U+202E⟩gnp.exe");
      expect(await harmOf(page)).toEqual(NO_HARM);
      await page.keyboard.press("Escape");
      await page.locator("[data-result] a").first().click();
      await page.getByText("Given up after 2 attempts.").waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a reader asks what it likes; a tenant's key sees the saved queries alone",
    async () => {
      const [reader, tenant] = await Promise.all(
        [null, "acme"].map((tenantId) =>
          call<{ token: string }>("POST /v1/keys", {
            name: "console sql",
            role: "reader",
            ...(tenantId && { tenantId }),
          }),
        ),
      );
      const { page } = await openSql({ key: reader!.token });
      await write(page, "SELECT count() FROM attempts");
      await run(page);
      await page.getByText("1 row in").waitFor();

      const { page: other } = await openSql({ key: tenant!.token });
      await other.getByRole("link", { name: QUESTION }).click();
      await other.getByLabel("since", { exact: true }).waitFor();

      expect(other.url()).toContain("#/sql/saved/");
      expect(await other.getByRole("link", { name: "Your own" }).count()).toBe(
        0,
      );
      expect(await other.getByLabel("tenant", { exact: true }).count()).toBe(0);
      await other.getByText("Its SQL", { exact: true }).click();
      expect(
        await other.getByRole("button", { name: "Open in the editor" }).count(),
      ).toBe(0);
      await run(other);
      await other
        .getByRole("heading", {
          name: "Tenants' questions are not answered here",
        })
        .waitFor();
    },
    LONG,
  );

  test.each(LOOKS)(
    "axe finds nothing serious: %j",
    async (how) => {
      const { page } = await openSql(how);
      const { look, found } = looking(page, how);

      await page.locator("summary", { hasText: /^attempts$/ }).click();
      await look("sql-empty");
      await write(
        page,
        "SELECT started_at, delivery_id, outcome, status_code, duration_ms, response_body\nFROM attempts FINAL\nWHERE attempt_number > 0\nORDER BY started_at",
      );
      await run(page);
      await page.getByText("5 rows in").waitFor();
      await look("sql-rows");
      await page.getByRole("button", { name: "Open row 1" }).click();
      await look("sql-row");
      await page.keyboard.press("Escape");
      await write(page, "SELECT 1\nFROM attempts\nGROUP outcome");
      await run(page);
      await page.getByRole("alert").waitFor();
      await look("sql-mistake");
      await page.getByRole("link", { name: "Saved queries" }).click();
      const questions = page.getByRole("navigation", { name: "Saved queries" });
      await questions.getByRole("link").first().waitFor();
      await look("sql-questions");
      await questions.getByRole("link", { name: QUESTION }).click();
      await page.getByLabel("min_attempts", { exact: true }).fill("1");
      await run(page);
      await page.getByText(/rows? in/).waitFor();
      await look("sql-saved");

      expect(found).toEqual([]);
    },
    LONG,
  );
});

/** A browser for tests, the bench and the pictures: Debian's Chromium, driven by playwright-core. Neither brings or downloads a browser. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type Page } from "playwright-core";

/** Where it is; empty where there is none. */
export const chromiumPath = spawnSync("sh", ["-c", "command -v chromium"], {
  encoding: "utf8",
}).stdout.trim();

/** Rejects where there is none, with how to have it. */
export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === "")
    throw new Error(
      "There is no chromium in the PATH of this machine, and this needs a browser. On Debian: apt-get install chromium",
    );
  return await chromium.launch({ executablePath: chromiumPath });
}

/** A page that keeps what its console, and its own scripts, complain of. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings; also refusals of the Content-Security-Policy. */
  readonly complaints: string[];
  /** Requests to other origins than the page's. */
  readonly foreign: string[];
}

/** Without the browser's own lines about answers that are errors, such as a 412, where one was asked for. */
export function ours(complaints: readonly string[]): readonly string[] {
  return complaints.filter((line) => !line.startsWith("Failed to load"));
}

export async function openPage(
  browser: Browser,
  of: {
    readonly url: string;
    readonly width?: number;
    readonly colorScheme?: "light" | "dark";
    /** Of the browser; default: that of the machine. */
    readonly timezoneId?: string;
  },
): Promise<WatchedPage> {
  const { url, width = 1_280, colorScheme = "light", timezoneId } = of;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    reducedMotion: "reduce",
    ...(timezoneId !== undefined && { timezoneId }),
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  // The browser's own line about an answer does not tell why; its body does.
  page.on("response", (response) => {
    if (response.status() < 500) return;
    response.text().then(
      (text) => complaints.push(`Failed to load ${response.url()}: ${text}`),
      () => {}, // its page is closed
    );
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin)
      foreign.push(request.url());
  });
  await page.goto(url);
  return { page, complaints, foreign };
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
}

const AXE = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly {
      readonly html: string;
      readonly failureSummary?: string;
    }[];
  }[];
}

/** What axe finds that is serious or worse, with where it is. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] })",
  )) as AxeResults; // what axe documents
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ html, failureSummary = "" }) => `${id}: ${html}\n${failureSummary}`,
      ),
    );
}

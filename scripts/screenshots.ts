/**
 * `npm run screenshots` makes the pictures of the console in docs/images that the README shows. Made-up records, as route and deliver
 * write them, go through the real recorder into ClickHouse, and the machine's Chromium shows what the real control answers.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "@postrider/testkit";
import type { Browser, Page } from "playwright-core";
import { checkLag } from "../bench/harness/checks.ts";
import { createContext, undoAll } from "../bench/harness/context.ts";
import { keepDataInMemory } from "../bench/harness/data-folder.ts";
import { preload } from "../bench/harness/load.ts";
import { createTopics, startOwnStack } from "../bench/harness/stack.ts";
import {
  ADMIN_KEY,
  createTables,
  startSubject,
} from "../bench/harness/subject.ts";
import { GROUPS } from "../bench/harness/whole.ts";
import { launchChromium, openPage, signIn } from "../tests/console/chromium.ts";
import { buildConsole } from "./console-build.ts";
import { PICTURED, storyOf } from "./screenshots/story.ts";

const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
const PATIENCE_MS = 120_000;

const context = createContext({
  isShort: false,
  profileInto: null,
  dataIn: keepDataInMemory(process.env),
});
try {
  const browser = await launchChromium();
  context.undo.push(() => browser.close());
  await buildConsole();
  const url = await startTelling();
  mkdirSync(IMAGES, { recursive: true });
  await overview(browser, url);
  await timeline(browser, url);
} catch (error) {
  context.say(error instanceof Error ? (error.stack ?? "") : String(error));
  process.exitCode = 1;
} finally {
  await undoAll(context);
}

/** Resolves to control's URL once everything is recorded. */
async function startTelling(): Promise<string> {
  const stack = await startOwnStack(context);
  await createTables(stack);
  const topics = await createTopics(context, stack, "postrider.");
  const { controlUrl } = await startSubject(context, {
    stack,
    topics,
    services: ["recorder", "control"],
  });
  const records = storyOf(Date.now());
  await preload(topics, records.length, (i) => records[i]!);
  for (const [group, topic] of GROUPS)
    if (group.startsWith("recorder."))
      await checkLag(topics, group, topic, PATIENCE_MS);
  context.say(`${records.length} records are written and recorded`);
  return controlUrl;
}

async function overview(browser: Browser, url: string): Promise<void> {
  const page = await open(browser, {
    url: `${url}/#/overview?range=6h`,
    colorScheme: "light",
  });
  await waitFor(
    async () =>
      (await page.locator("section[aria-busy=false]").count()) > 6 &&
      (await page.locator("section[aria-busy=true]").count()) === 0,
    { what: "all panels", timeoutMs: PATIENCE_MS },
  );
  await picture(page, "console-overview.png");
}

async function timeline(browser: Browser, url: string): Promise<void> {
  const page = await open(browser, {
    url: `${url}/#/deliveries?eventId=${PICTURED.id}`,
    colorScheme: "dark",
  });
  await page.locator("tbody a[data-row]").click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  await page.getByText(/^application\/json, /).waitFor();
  await page.getByText("api.globex.example").first().waitFor();
  await picture(page, "console-delivery.png");
}

async function open(
  browser: Browser,
  of: { readonly url: string; readonly colorScheme: "light" | "dark" },
): Promise<Page> {
  const { page } = await openPage(browser, of);
  await signIn(page, ADMIN_KEY);
  return page;
}

async function picture(page: Page, name: string): Promise<void> {
  const path = join(IMAGES, name);
  await page.screenshot({ path, fullPage: true, animations: "disabled" });
  context.say(`${path}: ${Math.ceil(statSync(path).size / 1_000)} KB`);
}

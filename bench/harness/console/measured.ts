/** One thing that a person does in the console, and the same questions asked by Node alone, in turn, each with cold caches. */
import type { Browser, Page } from "playwright-core";
import type { Get } from "../asked/ask.ts";
import type { FilterChange } from "./filter-changes.ts";
import { firstLoad, type FirstLoad } from "./first-load.ts";
import { forget, settled, type Shown } from "./watched-page.ts";

export interface Site {
  readonly browser: Browser;
  readonly url: string;
  readonly get: Get;
  readonly cold: () => Promise<void>;
}

/** By Node: until the first answer that has rows, and until the last answer. */
export interface AskedByNode {
  readonly firstMs: number;
  readonly allMs: number;
  readonly texts: readonly string[];
}

/** Of the console's own state, which has no rows. */
const WITHOUT_ROWS = /^\/v1\/(status|caller)/;

/** All at once, as the page does. */
export async function byNode(
  { get, cold }: Site,
  paths: readonly string[],
): Promise<AskedByNode> {
  await cold();
  const startedAt = performance.now();
  const answers = await Promise.all(
    paths.map(async (path) => {
      const { status, text } = await get(path, null);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
      return { path, text, ms: performance.now() - startedAt };
    }),
  );
  const withRows = answers.filter(({ path }) => !WITHOUT_ROWS.test(path));
  return {
    firstMs: Math.min(...withRows.map(({ ms }) => ms)),
    allMs: Math.max(...answers.map(({ ms }) => ms)),
    texts: answers.map(({ text }) => text),
  };
}

/** In a new browser context, which has nothing in its cache. Whoever asks for it closes the page's context. */
export async function loadedCold(
  { browser, url, cold }: Site,
  fragment: string,
): Promise<FirstLoad> {
  await cold();
  return await firstLoad(browser, `${url}/#/${fragment}`);
}

/** What the page asked, without what its sign-in asked. */
export function questionsOf({ answers }: FirstLoad): readonly string[] {
  return answers
    .map(({ path }) => path)
    .filter((path) => !path.startsWith("/v1/caller"));
}

export interface Changed {
  /** From the input to the frame with the new rows. */
  readonly ms: number;
  readonly shown: Shown;
}

/** Throws where the page asks something else than the filter's question, or asks more. */
export async function changedInBrowser(
  { cold }: Site,
  page: Page,
  change: FilterChange,
): Promise<Changed> {
  await change.prepare(page);
  await cold();
  const asked: string[] = [];
  const note = (request: { url(): string }): void => {
    const { pathname, search } = new URL(request.url());
    // Not of its icon, for which a browser asks when it likes.
    if (pathname.startsWith("/v1/")) asked.push(`${pathname}${search}`);
  };
  page.on("request", note);
  await forget(page);
  await change.act(page);
  const { shown, inputAt } = await settled(page, change.name);
  page.off("request", note);
  if (asked.join() !== change.path)
    throw new Error(
      `${change.name}: asked ${asked.join()}, not ${change.path}`,
    );
  const last = shown.at(-1)!;
  const clear = page.getByRole("button", { name: "Clear all" });
  await clear.click();
  await clear.waitFor({ state: "detached" });
  await page.locator("section[aria-busy=true]").waitFor({ state: "detached" });
  return { ms: last.at - inputAt, shown: last };
}

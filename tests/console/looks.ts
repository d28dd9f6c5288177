/** What the tests of the console's pages share: they are skipped without a browser, and look at each page in three ways. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "@jest/globals";
import type { Page } from "playwright-core";
import { chromiumPath, seriousViolations } from "./chromium.ts";

/** People look at the pictures here; no test does. */
const SHOTS = fileURLToPath(
  new URL("../../.cache/console-shots/", import.meta.url),
);

/** The ways in which each page is looked at. */
export const LOOKS = [
  { width: 1_280, colorScheme: "light" },
  { width: 390, colorScheme: "light" },
  { width: 1_280, colorScheme: "dark" },
] as const;
export type Look = (typeof LOOKS)[number];

/** A group of tests that are skipped, and say so in their names, where there is no browser. */
export function describeInChromium(name: string, tests: () => void): void {
  if (chromiumPath === "")
    describe.skip(
      `${name} (no chromium on this machine: apt-get install chromium)`,
      tests,
    );
  else describe(name, tests);
}

/** A picture of the whole page, or of what the window shows of it. */
export async function shot(
  page: Page,
  name: string,
  { fullPage = true }: { readonly fullPage?: boolean } = {},
): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage });
}

/** `look` takes a picture of what is shown at the moment, and adds to `found` what axe finds serious in it, after the name of what was looked at. */
export function looking(page: Page, { width, colorScheme }: Look) {
  const found: string[] = [];
  return {
    found,
    async look(name: string): Promise<void> {
      await shot(page, `${name}-${width}-${colorScheme}`);
      for (const violation of await seriousViolations(page))
        found.push(`${name}: ${violation}`);
    },
  };
}

/** By how many pixels the page is wider than its window. */
export async function widerBy(page: Page): Promise<number> {
  return Number(
    await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
  );
}

/** What hostile text has done to the page: whether it ran, which pictures it has loaded, and how it has widened it. */
export async function harmOf(
  page: Page,
): Promise<Readonly<Record<keyof typeof NO_HARM, unknown>>> {
  return {
    isPwned: await page.evaluate("'pwned' in window"),
    images: await page.evaluate("document.images.length"),
    wide: await widerBy(page),
  };
}
export const NO_HARM = { isPwned: false, images: 0, wide: 0 } as const;

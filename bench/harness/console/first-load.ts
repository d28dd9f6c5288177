/** A page of the console in a browser that has never seen it: the times until its rows, what it asked, and what came over the wire. */
import type { Browser, Page, Request } from "playwright-core";
import { signIn } from "../../../tests/console/chromium.ts";
import { ADMIN_KEY } from "../subject.ts";
import { settled, watch, type Shown } from "./watched-page.ts";

export interface Answer {
  /** `/v1/deliveries?limit=50` */
  readonly path: string;
  readonly text: string;
}

export interface FirstLoad {
  readonly page: Page;
  /** From the navigation to the form that asks for the key. */
  readonly formMs: number;
  /** That, and from Enter in the form to the first rows; what is typed takes no time. */
  readonly firstRowsMs: number;
  /** The same to the answer of everything that the page asked. */
  readonly allMs: number;
  readonly shown: Shown;
  readonly answers: readonly Answer[];
  /** The bodies of the page, its scripts, styles and pictures, as they were sent. */
  readonly wireBytes: number;
}

export async function firstLoad(
  browser: Browser,
  url: string,
): Promise<FirstLoad> {
  const context = await browser.newContext({
    viewport: { width: 1_280, height: 900 },
  });
  const page = await context.newPage();
  const finished: Request[] = [];
  page.on("requestfinished", (request) => finished.push(request));
  await watch(page);
  await page.goto(url, { waitUntil: "commit" });
  await signIn(page, ADMIN_KEY);
  const { shown, inputAt } = await settled(page, url);
  // What no part of the page waits for is under way, and Node is to ask it, too.
  await page.waitForLoadState("networkidle");
  const form = shown.find(({ hasSignIn }) => hasSignIn);
  const first = shown.find(({ at, rows }) => at > inputAt && rows.length > 0);
  const last = shown.at(-1);
  if (form === undefined || first === undefined || last === undefined)
    throw new Error(`${url}: the page shows rows, but was not seen without`);
  const answers: Answer[] = [];
  let wireBytes = 0;
  for (const request of finished) {
    const { pathname, search } = new URL(request.url());
    const text = (await (await request.response())?.text()) ?? "";
    if (pathname.startsWith("/v1/"))
      answers.push({ path: `${pathname}${search}`, text });
    else wireBytes += (await request.sizes()).responseBodySize;
  }
  return {
    page,
    formMs: form.at,
    firstRowsMs: form.at + first.at - inputAt,
    allMs: form.at + last.at - inputAt,
    shown: last,
    answers,
    wireBytes,
  };
}

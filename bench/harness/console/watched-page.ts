/** What a page of the console shows, and when. A script inside the page notes it after each frame that changed it, so neither our polling nor the way to the browser is measured. */
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";

/** What was on the page after a frame. */
export interface Shown {
  /** Since the navigation, ms. */
  readonly at: number;
  /** Where the rows lead, and their texts. */
  readonly rows: readonly (readonly [hash: string, text: string])[];
  /** How many parts of the page wait for an answer. */
  readonly busy: number;
  /** Whether one did since the last `forget`, be it for less than a frame. */
  readonly wasBusy: boolean;
  readonly hasSignIn: boolean;
}

export interface Watched {
  readonly shown: readonly Shown[];
  /** The first input since the last `forget`, by the same clock; 0: none. */
  readonly inputAt: number;
}

/** The first task after a frame runs when the frame was drawn. Inputs are heard before the page hears them; Enter in a form is a click on its button, too, so the first one counts. */
const SCRIPT = `(() => {
  let [shown, inputAt, last, isAwaited, wasBusy] = [[], 0, "", false, false];
  const busy = () => document.querySelectorAll("main section[aria-busy=true]").length;
  const note = () => {
    isAwaited = false;
    const now = {
      rows: [...document.querySelectorAll("main a[data-row]")].map((link) => [link.hash, link.textContent]),
      busy: busy(),
      wasBusy,
      hasSignIn: document.querySelector("input[name=key]") !== null,
    };
    const text = JSON.stringify(now);
    if (text !== last) shown.push({ at: performance.now(), ...now });
    last = text;
  };
  const afterFrame = new MessageChannel();
  afterFrame.port1.onmessage = note;
  new MutationObserver(() => {
    wasBusy ||= busy() > 0;
    if (isAwaited) return;
    isAwaited = true;
    requestAnimationFrame(() => afterFrame.port2.postMessage(null));
  }).observe(document, { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-busy", "href"] });
  for (const kind of ["keydown", "click", "change"])
    addEventListener(kind, (event) => { inputAt ||= event.timeStamp; }, true);
  globalThis.watched = {
    now: () => ({ shown, inputAt }),
    forget: () => { [shown, inputAt, wasBusy] = [[], 0, false]; },
  };
})()`;

/** Before the page's first navigation. */
export async function watch(page: Page): Promise<void> {
  await page.addInitScript(SCRIPT);
}

/** What is noted from now on is about what comes. */
export async function forget(page: Page): Promise<void> {
  await page.evaluate("watched.forget()");
}

const LOOK_EVERY_MS = 25;
const PATIENCE_MS = 60_000;

/** Resolves when there was an input and, after it, an answer to all that was asked, with rows. */
export async function settled(page: Page, what: string): Promise<Watched> {
  return await waitFor(
    async () => {
      const watched = (await page.evaluate("watched.now()")) as Watched; // what the script above keeps
      const { shown, inputAt } = watched;
      const last = shown.at(-1);
      const isSettled =
        last !== undefined &&
        inputAt > 0 &&
        last.at > inputAt &&
        last.wasBusy &&
        last.busy === 0 &&
        last.rows.length > 0;
      return isSettled ? watched : null;
    },
    { what: `rows of ${what}`, everyMs: LOOK_EVERY_MS, timeoutMs: PATIENCE_MS },
  );
}

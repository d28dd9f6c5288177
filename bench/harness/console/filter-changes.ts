/** What people change in the list of deliveries: each filter by its own field, as they do, and the question that control then gets. */
import type { Random } from "@postrider/testkit";
import type { Page } from "playwright-core";
import type { Known } from "../asked/known.ts";
import { pathOf } from "../asked/question.ts";

export interface FilterChange {
  readonly name: string;
  /** What the page is to ask. */
  readonly path: string;
  /** What is typed before; it changes nothing yet. */
  readonly prepare: (page: Page) => Promise<void>;
  /** The input that counts. */
  readonly act: (page: Page) => Promise<void>;
}

/** As the console asks for a page of the list. */
const ROWS = { limit: "50" };
const DAY_MS = 86_400_000;

/** With values drawn anew. */
export function filterChanges(
  known: Known,
  random: Random,
): readonly FilterChange[] {
  const { busy, quiet } = known.of.all;
  const past = new Date(Date.now() - random.between(1, 20 * DAY_MS));
  // The field has no milliseconds.
  const until = past.toISOString().replace(/\.\d+Z$/, "Z");
  return [
    pressed("status: given up", "Given up", { status: "expired" }),
    pressed("status: failed", "Failed, will retry", { status: "failed" }),
    typed("type", "Event type", { eventType: "order.paid" }),
    typed("pattern of types", "Event type", { eventType: "user.*" }),
    typed("busy endpoint", "Endpoint id", { endpointId: random.pick(busy) }),
    typed("quiet endpoint", "Endpoint id", { endpointId: random.pick(quiet) }),
    typed("biggest tenant", "Tenant", { tenantId: known.tenantOf.big ?? "" }),
    typed("small tenant", "Tenant", { tenantId: known.tenantOf.small ?? "" }),
    typed("answered 5xx", "Status code", { statusCode: "5xx" }),
    chosen("time: last 6 hours", "6h"),
    chosen("time: last 7 days", "7d"),
    typed(
      "time: before a past moment",
      "Received before",
      { until },
      until.replace("Z", ""),
    ),
  ];
}

type Filter = Readonly<Record<string, string>>;

function pressed(name: string, button: string, filter: Filter): FilterChange {
  return {
    name,
    path: pathOf("/v1/deliveries", { ...filter, ...ROWS }),
    prepare: async () => {},
    act: (page) => page.getByRole("button", { name: button }).click(),
  };
}

function chosen(name: string, since: string): FilterChange {
  return {
    name,
    path: pathOf("/v1/deliveries", { since, ...ROWS }),
    prepare: async () => {},
    act: async (page) => {
      await page.getByLabel("Received", { exact: true }).selectOption(since);
    },
  };
}

/** `text`: what is typed, where it is not the filter's value. */
function typed(
  name: string,
  label: string,
  filter: Filter,
  text = Object.values(filter)[0] ?? "",
): FilterChange {
  return {
    name,
    path: pathOf("/v1/deliveries", { ...filter, ...ROWS }),
    prepare: async (page) => {
      const more = page.locator("details:not([open]) > summary");
      if ((await more.count()) > 0) await more.first().click();
      await page.locator("details").getByLabel(label).fill(text);
    },
    act: (page) => page.keyboard.press("Enter"),
  };
}

/** The console with a tenant's key, in a real browser, where control serves tenants: each page has the tenant's own, and nothing of another's. */
import { beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import { chromiumPath, ours } from "./console/chromium.ts";
import { describeInChromium } from "./console/looks.ts";
import {
  LONG,
  openGivenUp,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

const console = useConsole({ servesTenants: true });
const { call, open } = console;

/** Is in everything of the other tenant: its name, its endpoint's URL, its events' ids and types, its replay's reason. */
const OTHERS = "globex";

interface Delivery {
  readonly id: string;
  readonly status: string;
}

let key = "";
/** A delivery of the other tenant that was given up. */
let foreign: Delivery;
let foreignEndpoint = "";

async function generate(): Promise<void> {
  const endpoint = await call<{ readonly id: string }>("POST /v1/endpoints", {
    tenantId: OTHERS,
    url: `${console.receiver().url}/down/${OTHERS}`,
    description: `of ${OTHERS}`,
    eventTypes: [`${OTHERS}.*`],
    maxAttempts: 1,
  });
  foreignEndpoint = endpoint.id;
  let published = 0;
  // Route does not know the endpoint at once: what it does not route has no delivery.
  foreign = await waitFor(
    async () => {
      await call("POST /v1/events", {
        id: `${OTHERS}-${(published += 1)}`,
        type: `${OTHERS}.due`,
        tenantId: OTHERS,
        payload: { of: OTHERS },
      });
      const { deliveries } = await call<{
        readonly deliveries: readonly Delivery[];
      }>(`GET /v1/deliveries?tenantId=${OTHERS}`);
      return deliveries.find(({ status }) => status === "expired");
    },
    { what: "a dead letter", everyMs: 1_000, timeoutMs: PATIENCE_MS },
  );
  for (const tenantId of ["acme", OTHERS])
    await call("POST /v1/replays", {
      tenantId,
      reasons: ["blocked"],
      confirm: true,
      why: `asked by ${tenantId}`,
    });
  await console.hasAudited("replay", `asked by ${OTHERS}`);
  const { token } = await call<{ readonly token: string }>("POST /v1/keys", {
    name: "of acme",
    role: "reader",
    tenantId: "acme",
  });
  key = token;
}

beforeAll(async () => {
  if (chromiumPath !== "") await generate();
}, LONG);

async function go(page: Page, path: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#${path}`)}`);
}

/** Adds what is shown to `seen`, once `has` is there. */
async function look(
  page: Page,
  seen: string[],
  has: string | RegExp,
): Promise<void> {
  await page.getByText(has).filter({ visible: true }).first().waitFor();
  seen.push(await page.locator("body").innerText());
}

describeInChromium("the console of a tenant", () => {
  test(
    "every page has the tenant's own, and nothing of another's",
    async () => {
      const { page, complaints } = await open({ key });
      const seen: string[] = [];

      await waitFor(async () => (await rowsOf(page)) === 4);
      await look(page, seen, "invoice.due");
      await openGivenUp(page);
      await look(page, seen, "Given up after 2 attempts.");
      await page.getByRole("link", { name: "evt-3", exact: true }).click();
      await look(page, seen, "It was sent to 1 endpoint: 1 given up.");
      await go(page, "/overview");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await waitFor(
        async () =>
          (await page.locator("section[aria-busy=false]").count()) === 7 &&
          (await page.locator("section[aria-busy=true]").count()) === 0,
        { what: "all panels", timeoutMs: PATIENCE_MS },
      );
      await look(page, seen, /Delivered\s*3/);
      expect(await page.getByRole("alert").count()).toBe(0);
      await go(page, "/endpoints");
      await page.getByRole("link", { name: "/down" }).waitFor();
      await look(page, seen, "/ok");
      expect(await rowsOf(page)).toBe(2);
      await page.getByRole("link", { name: "/down" }).click();
      await look(page, seen, "Configuration");
      await go(page, "/dead-letters");
      await page.getByRole("heading", { name: "Dead letters" }).waitFor();
      await waitFor(async () => (await rowsOf(page)) === 1);
      await look(page, seen, "503");
      await go(page, "/replays");
      await look(page, seen, "asked by acme");
      await go(page, "/sql/saved/endpoint-health");
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await look(page, seen, /[1-9]\d* rows? in/);
      await go(page, "/system?tab=audit");
      await look(page, seen, "asked by acme");

      expect(seen.filter((text) => text.includes(OTHERS))).toEqual([]);
      expect(seen).toHaveLength(10);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "what is another tenant's is as unknown as what there is not",
    async () => {
      const { page, complaints } = await open({ key });
      const found: string[] = [];

      for (const path of [
        `/deliveries/${foreign.id}`,
        "/deliveries/dlv_nobody",
        `/endpoints/${foreignEndpoint}`,
        "/endpoints/ep_nobody",
        `/events/${OTHERS}-1`,
        "/events/evt_never",
      ]) {
        await go(page, path);
        const told = page.getByRole("alert");
        await told.waitFor();
        const id = path.split("/").at(-1) ?? "";
        found.push((await told.innerText()).replaceAll(id, "ID"));
        await go(page, "/deliveries");
        await waitFor(async () => (await rowsOf(page)) === 4);
      }

      expect(found[0]).toBe(found[1]);
      expect(found[2]).toBe(found[3]);
      expect(found[4]).toBe(found[5]);
      expect(ours(complaints)).toEqual([]);
    },
    LONG,
  );
});

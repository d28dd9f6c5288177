/** The console's pages of an event and of the installation itself, in a real browser on the whole stack. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import type { Page } from "playwright-core";
import { chromiumPath, seriousViolations, signIn } from "./console/chromium.ts";
import {
  describeInChromium,
  harmOf,
  LOOKS,
  looking,
  NO_HARM,
  widerBy,
} from "./console/looks.ts";
import {
  ADMIN_KEY,
  LONG,
  openGivenUp,
  PATIENCE_MS,
  rowsOf,
  useConsole,
} from "./console/running-console.ts";

/** What somebody may call an endpoint. */
const HOSTILE = `the CRM <img src=x onerror="window.pwned=1">\u202E`;

const folder = mkdtempSync(join(tmpdir(), "postrider-console-keys-"));
const keysFile = join(folder, "keys");
const [K1, K2] = ["k1", "k2"].map(
  (kid) => `${kid}:${randomBytes(32).toString("base64")}`,
) as [string, string]; // two of two
writeFileSync(keysFile, K1);

const console = useConsole({
  env: {
    POSTRIDER_ENCRYPTION_KEYS: "",
    POSTRIDER_ENCRYPTION_KEYS_FILE: keysFile,
  },
});
const { call, open } = console;

/** The id of an event that one endpoint got and another one did not. */
let partly = "";

beforeAll(async () => {
  if (chromiumPath === "") return;
  await call("POST /v1/endpoints", {
    tenantId: "acme",
    url: `${console.receiver().url}/down`,
    description: HOSTILE.replace("\u202E", ""),
    eventTypes: ["order.*"],
    maxAttempts: 1,
  });
  for (const tenantId of ["acme", "globex"])
    await call("POST /v1/events", {
      id: "evt_nobody",
      type: "parcel.lost",
      tenantId,
      payload: { note: HOSTILE },
    });
  await call("POST /v1/event-types", {
    name: "order.paid",
    tenantId: "acme",
    description: HOSTILE.replace("\u202E", ""),
    schema: { type: "object", description: HOSTILE },
    example: { orderId: 1001 },
  });
  await waitFor(publishPartly, { everyMs: 300, timeoutMs: PATIENCE_MS });
}, LONG);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let published = 0;
/** Whether route knew the new endpoint when it decided about the event. */
async function publishPartly(): Promise<boolean> {
  published += 1;
  partly = `evt_partly_${published}`;
  await call("POST /v1/events", {
    id: partly,
    type: "order.paid",
    tenantId: "acme",
    payload: { orderId: 12_345, note: HOSTILE },
  });
  let verdict = "";
  await waitFor(
    async () => {
      const found = await call<{
        verdict: string;
        sent: { waiting: number; endpoints: number };
      }>(`GET /v1/events/${partly}/explain`).catch(() => null);
      verdict = found?.verdict ?? "";
      return (
        found !== null && found.sent.endpoints > 0 && found.sent.waiting === 0
      );
    },
    { everyMs: 300, timeoutMs: PATIENCE_MS },
  );
  return verdict === "partly_delivered";
}

describeInChromium("an event in the console", () => {
  test(
    "by mouse: a delivery leads to its event, which says who got it, who did not, why, and what to do",
    async () => {
      const { page, complaints } = await open();
      await openGivenUp(page);
      await page.getByRole("link", { name: "evt-3", exact: true }).click();
      await page.waitForURL(/#\/events\/evt-3\?tenantId=acme$/);
      await page.getByText("It was sent to 1 endpoint: 1 given up.").waitFor();

      await page.goto(`${console.url()}/#/events/${partly}`);
      await page
        .getByText("It was sent to 2 endpoints: 1 got it, 1 given up.")
        .waitFor();
      await page.getByText(/The receiver accepted it with 200/).waitFor();
      await page
        .getByText(
          "The receiver answered 503. The fault is on the receiver's side. All attempts are used up.",
        )
        .waitFor();
      await page.getByText(/^npx postrider deliveries redrive dlv_/).waitFor();
      await page.getByText('"orderId": 12345').waitFor();
      await page.getByRole("row", { name: /The receiver answered/ }).click();

      await page.getByText("Given up after 1 attempt.").waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "by keyboard: the search finds an event by its id, and a row opens its delivery",
    async () => {
      const { page, complaints } = await open();
      await waitFor(async () => (await rowsOf(page)) > 3);

      await page.keyboard.press("/");
      await page.keyboard.type(partly);
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(`#/events/${partly}$`));
      await waitFor(async () => (await rowsOf(page)) === 2);
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "What happened" }).waitFor();

      await page.goto(`${console.url()}/#/deliveries?eventId=${partly}`);
      await page.getByRole("link", { name: `The event ${partly}` }).click();
      await page.waitForURL(new RegExp(`#/events/${partly}$`));
      await waitFor(async () => (await rowsOf(page)) === 2);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "an event that nobody was sent says why; one that is not there where else it may be",
    async () => {
      const { page, complaints } = await open({ width: 390 });

      await page.goto(`${console.url()}/#/events/evt_nobody`);
      await page.getByText(/is used by the tenants acme, globex/).waitFor();
      await page.getByLabel("Tenant").fill("acme");
      await page.keyboard.press("Enter");
      await page.waitForURL(/evt_nobody\?tenantId=acme$/);
      await page.getByText(/^Nobody was sent it: /).waitFor();
      await page.getByText("3 endpoints do not want its type.").waitFor();
      await page.getByText("the CRM <img src=x").first().waitFor();
      await page
        .getByRole("region", { name: "Event payload", exact: true })
        .last()
        .getByText("⟨U+202E⟩")
        .waitFor();
      expect(await harmOf(page)).toEqual(NO_HARM);
      // A browser complains of each answer that is an error; the 409 was to come.
      expect(complaints).toEqual([expect.stringContaining("409")]);

      await page.goto(`${console.url()}/#/events/evt_none`);
      await page.getByText(/may not have come in/).waitFor();
    },
    LONG,
  );
});

describeInChromium("the installation in the console", () => {
  const tab = async (page: Page, name: string): Promise<void> =>
    page
      .getByRole("navigation", { name: "System", exact: true })
      .getByRole("link", { name })
      .click();

  test(
    "services: this control, and what it reaches",
    async () => {
      const { page, complaints } = await open();

      await page.keyboard.press("g");
      await page.keyboard.press("s");

      await page.getByRole("cell", { name: "Writer" }).waitFor();
      await page.getByRole("row", { name: /ClickHouse Reachable/ }).waitFor();
      await tab(page, "Event types");
      await page.getByRole("link", { name: "order.paid" }).waitFor();
      const current = page
        .getByRole("navigation", { name: "System", exact: true })
        .locator("[aria-current]");
      expect(await current.allInnerTexts()).toEqual(["Event types"]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "processes with their version; by keyboard: stages with what they have not done, their topics and members",
    async () => {
      const { page, complaints } = await open();
      await page.goto(`${console.url()}/#/system`);
      for (const service of ["ingest", "dispatcher", "retry-scheduler"])
        await page
          .getByRole("row", { name: new RegExp(`^${service} \\d+\\.\\d+`) })
          .waitFor();
      await page.getByText(/processes of version/).waitFor();

      await tab(page, "Stages");
      await page
        .getByRole("row", { name: /^recorder\.attempts recorder Served by 1 / })
        .waitFor();
      await page
        .getByRole("row", { name: /^retry-scheduler .* waiting/ })
        .waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.waitForURL(/tab=stages&open=route$/);
      await page.getByRole("heading", { name: "Members" }).waitFor();
      await page.getByRole("rowheader", { name: /\.events$/ }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await page.keyboard.press("Enter");
      await page.waitForURL(/tab=stages$/);
      await page
        .getByRole("heading", { name: "Members" })
        .waitFor({ state: "detached" });
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "topics and how they are kept; the configuration, without its secrets; on a narrow screen both fit",
    async () => {
      const { page, complaints } = await open({ width: 390 });
      await page.goto(`${console.url()}/#/system?tab=topics`);
      await page.getByRole("row", { name: /\.deliveries Whole 2 / }).waitFor();
      const widthBeyond = "document.documentElement.scrollWidth - innerWidth";
      expect(await page.evaluate(widthBeyond)).toBe(0);

      await tab(page, "Configuration");
      await page
        .getByRole("row", { name: /^POSTRIDER_ADMIN_KEY .*\[redacted\] Set$/ })
        .waitFor();
      await page
        .getByRole("row", {
          name: /^POSTRIDER_ENCRYPTION_KEYS .*\[redacted\] Set by a file$/,
        })
        .waitFor();
      await page
        .getByRole("row", { name: /^POSTRIDER_QUERY_TIMEOUT .* 30s Default$/ })
        .waitFor();
      const text = await page.evaluate("document.body.innerText");
      expect(text).not.toContain(ADMIN_KEY);
      expect(text).not.toContain(K1.split(":")[1]);
      expect(await page.evaluate(widthBeyond)).toBe(0);
      expect(await seriousViolations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "the audit log: filters are in the URL and outlive a reload; a row opens what changed",
    async () => {
      const { page, complaints } = await open();
      await page.getByRole("link", { name: "System" }).click();
      await tab(page, "Audit log");
      await page
        .getByLabel("What was changed", { exact: true })
        .selectOption("endpoint");
      await page.waitForURL(/tab=audit&subject=endpoint$/);
      await waitFor(async () => (await rowsOf(page)) === 3);

      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page
        .getByRole("row", { name: "maxAttempts 1", exact: true })
        .waitFor();
      await page.reload();
      await signIn(page, ADMIN_KEY);
      await page
        .getByRole("row", { name: "maxAttempts 1", exact: true })
        .waitFor();
      await page.getByRole("link", { name: "All that was done to it" }).click();
      await waitFor(async () => (await rowsOf(page)) === 1);
      await page.keyboard.press("/");
      await page.keyboard.press("Control+A");
      await page.keyboard.type("no such id");
      await page.keyboard.press("Enter");

      await page.getByText("No entry matches").waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "API keys: a token is shown once; a revoked key is refused, and the audit log says why",
    async () => {
      const { page, complaints } = await open();
      await page.goto(`${console.url()}/#/system?tab=keys`);

      await page.getByRole("button", { name: "New key…" }).click();
      await page.getByLabel("Name", { exact: true }).fill("CI of acme");
      await page.getByLabel("Tenant", { exact: true }).last().fill("acme");
      await page.getByLabel("Requests per second").fill("2.5");
      await page.keyboard.press("Enter");
      await page.getByText("The key CI of acme is made").waitFor();
      await page.getByRole("button", { name: "Copy the token" }).click();
      await page.getByText("Copied").waitFor();
      const token = String(
        await page.evaluate("navigator.clipboard.readText()"),
      );
      expect(token).toMatch(/^prk_/);
      const statusOf = async (): Promise<number> => {
        const { status } = await fetch(`${console.url()}/v1/caller`, {
          headers: { authorization: `Bearer ${token}` },
        });
        return status;
      };
      expect(await statusOf()).toBe(200);
      await page.getByText("2.5 requests/s").waitFor();

      for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
      await page.getByText(token).waitFor();
      await page.getByRole("button", { name: "I have stored it" }).click();
      await page.getByText("is made").waitFor({ state: "detached" });
      const kept = await page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML])",
      );
      expect(kept).not.toContain(token);

      const revoke = page.getByRole("button", { name: "Revoke CI of acme" });
      await revoke.click();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(
        await page.evaluate(
          "document.activeElement?.getAttribute('aria-label')",
        ),
      ).toBe("Revoke CI of acme");
      expect(await statusOf()).toBe(200);
      await page.keyboard.press("Enter");
      await page.getByLabel(/Why/).fill("the laptop was stolen");
      await page.keyboard.press("Enter");
      await page.getByRole("cell", { name: /^Revoked/ }).waitFor();
      expect(await statusOf()).toBe(401);
      await console.hasAudited("key", "the laptop was stolen");
      await page.getByRole("link", { name: "CI of acme" }).click();
      await waitFor(async () => (await rowsOf(page)) === 2, {
        timeoutMs: PATIENCE_MS,
      });
      await page.getByRole("cell", { name: "the laptop was stolen" }).waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "encryption keys: after a new one came, everything is sealed anew with it",
    async () => {
      const { page, complaints } = await open();
      await page.goto(`${console.url()}/#/system?tab=secrets`);
      await page
        .getByText("Everything is sealed with the newest key, k1.")
        .waitFor();
      expect(
        await page.getByRole("button", { name: "Seal anew…" }).isDisabled(),
      ).toBe(true);
      writeFileSync(keysFile, `${K2},${K1}`);
      await waitFor(
        async () => {
          const { newest } = await call<{ newest: string }>("GET /v1/secrets");
          return newest === "k2";
        },
        { what: "control to read its keys", timeoutMs: PATIENCE_MS },
      );

      await page.reload();
      await signIn(page, ADMIN_KEY);
      await page
        .getByText(/3 secrets or header values an older key has sealed/)
        .waitFor();
      await page.getByRole("button", { name: "Seal anew…" }).click();
      await page.getByLabel(/Why/).fill("k1 ends");
      await page.keyboard.press("Enter");

      await page
        .getByText("3 secrets and 0 header values were sealed anew.")
        .waitFor();
      await page
        .getByText("Everything is sealed with the newest key, k2.")
        .waitFor();
      expect(complaints).toEqual([]);
    },
    LONG,
  );

  test(
    "a reader cannot act and is told why; a tenant's key is told what is for operators",
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
      await page.getByRole("link", { name: "System" }).click();
      await tab(page, "API keys");
      await page.getByRole("heading", { name: "For administrators" }).waitFor();
      await tab(page, "Configuration");
      await page.getByRole("heading", { name: "For administrators" }).waitFor();
      await tab(page, "Stages");
      await page.getByRole("link", { name: "dispatcher" }).waitFor();
      await tab(page, "Encryption keys");
      await page.getByText("needs the key of an administrator").waitFor();
      expect(await page.getByRole("button", { name: /Seal/ }).count()).toBe(0);
      await tab(page, "Audit log");
      await waitFor(async () => (await rowsOf(page)) > 3);

      const other = (await open({ key: tenant!.token })).page;
      await other.getByRole("link", { name: "System" }).click();
      for (const name of [
        "Services",
        "Stages",
        "Topics",
        "Configuration",
        "Encryption keys",
      ]) {
        await tab(other, name);
        await other.getByRole("heading", { name: "For operators" }).waitFor();
      }
      await tab(other, "Event types");
      await other.getByRole("link", { name: "order.paid" }).click();
      await other.getByText("⟨U+202E⟩").waitFor();
      expect(await other.getByLabel("Tenant").count()).toBe(0);
      await tab(other, "Audit log");
      await other
        .getByRole("heading", {
          name: "Tenants' questions are not answered here",
        })
        .waitFor();
    },
    LONG,
  );
});

describeInChromium("all of these pages", () => {
  test.each(LOOKS)(
    "axe finds nothing serious, and nothing is wider than the window: %j",
    async (how) => {
      const { page, complaints } = await open(how);
      const { look: lookAt, found } = looking(page, how);
      const look = async (name: string): Promise<void> => {
        await lookAt(name);
        const wide = Number(await page.evaluate(WIDE_TABLES));
        if (wide + (await widerBy(page)) !== 0) found.push(`${name}: too wide`);
      };
      const go = (path: string) => page.goto(`${console.url()}/#${path}`);

      await go(`/events/${partly}`);
      await page.getByText('"orderId"').waitFor();
      await look("event");
      await go("/events/evt_nobody?tenantId=acme");
      await page.getByText(/^Nobody was sent it/).waitFor();
      await page.getByText('"note"').waitFor();
      await look("event-nobody");
      await go("/system");
      await page.getByRole("cell", { name: "Writer" }).waitFor();
      await look("system-services");
      await go("/system?tab=audit");
      await waitFor(async () => (await rowsOf(page)) > 3);
      await page
        .getByRole("link", { name: /Endpoint: created/ })
        .first()
        .click();
      await page
        .getByRole("row", { name: "maxAttempts 1", exact: true })
        .waitFor();
      await look("system-audit");
      await go("/system?tab=types&open=acme:order.paid");
      await page.getByRole("heading", { name: "Example" }).waitFor();
      await look("system-types");
      await go("/system?tab=secrets");
      await page.getByText(/Everything is sealed/).waitFor();
      await look("system-secrets");
      await go("/system?tab=keys");
      await page.getByRole("button", { name: "New key…" }).click();
      await page.getByLabel("Name", { exact: true }).fill("looked at");
      await look("system-new-key");
      await page.keyboard.press("Enter");
      await page.getByText("is made").waitFor();
      await look("system-new-token");
      await page.getByRole("button", { name: "I have stored it" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await look("system-keys");
      await page
        .getByRole("button", { name: "Revoke looked at" })
        .first()
        .click();
      await look("system-revoke");

      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    },
    LONG,
  );
});

const WIDE_TABLES =
  "[...document.querySelectorAll('table')].filter(({ offsetWidth, parentElement }) => offsetWidth > parentElement.clientWidth).length";

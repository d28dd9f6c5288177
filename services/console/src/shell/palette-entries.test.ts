import { expect, test } from "@jest/globals";
import { deliverySearch } from "../deliveries/delivery-filters.ts";
import { paletteEntries, type Places } from "./palette-entries.ts";

const PLACES: Places = {
  pages: [
    { to: "/deliveries", name: "Deliveries" },
    { to: "/endpoints", name: "Endpoints" },
  ],
  paths: new Set(["/deliveries/$id", "/endpoints/$id", "/events/$id"]),
};

const hrefsOf = (text: string, places = PLACES) =>
  paletteEntries(text, places).map((each) => ("href" in each ? each.href : ""));

test("without a text all is there: pages, filters, and what can be done", () => {
  const kinds = new Set(paletteEntries("", PLACES).map(({ kind }) => kind));

  expect([...kinds]).toEqual(["Page", "Deliveries", "Do"]);
});

test("every word must be in an entry, in any order and case", () => {
  expect(hrefsOf("HOUR failed")).toEqual([
    "/deliveries?status=failed,expired&since=1h",
  ]);
  expect(paletteEntries("sign out", PLACES)).toMatchObject([
    { command: "sign-out" },
  ]);
});

test.each([
  ["dlv_aB-9", ["/deliveries/dlv_aB-9"]],
  [" dlv_aB-9\n", ["/deliveries/dlv_aB-9"]],
  ["ep_1", ["/endpoints/ep_1", "/deliveries?endpointId=ep_1"]],
  ["inline_1", ["/deliveries?endpointId=inline_1"]],
  ["evt&a=b", ["/events/evt%26a%3Db", "/deliveries?eventId=evt%26a%3Db"]],
  ["rpl_1", []],
  ["no such thing", []],
  ["x".repeat(257), []],
])("%j opens %j", (text, hrefs) => {
  expect(hrefsOf(text)).toEqual(hrefs);
});

test("what has no page of its own is shown by its deliveries", () => {
  const places = { ...PLACES, paths: new Set<string>() };

  expect(hrefsOf("ep_1", places)).toEqual(["/deliveries?endpointId=ep_1"]);
  expect(hrefsOf("evt_1", places)).toEqual(["/deliveries?eventId=evt_1"]);
});

test("each filter that is offered is one of the list", () => {
  const hrefs = hrefsOf("deliveries").filter((href) => href.includes("?"));

  for (const href of hrefs) {
    const given = Object.fromEntries(new URLSearchParams(href.split("?")[1]));

    expect(deliverySearch(given)).toEqual(given);
  }
  expect(hrefs.length).toBeGreaterThan(3);
});

import { expect, test } from "@jest/globals";
import { type Endpoint, type FanOut, matchesType } from "@postrider/core";
import { anEndpoint } from "@postrider/testkit";
import fc from "fast-check";
import { EndpointIndex } from "./endpoint-index.ts";

/** The reference: who gets an event, found by looking at every endpoint. */
function byLookingAtAll(
  table: ReadonlyMap<string, Endpoint>,
  tenantId: string,
  type: string,
): FanOut {
  const all = [...table.values()].filter((one) => one.tenantId === tenantId);
  const wanting = all.filter(({ eventTypes }) =>
    eventTypes.some((pattern) => matchesType(pattern, type)),
  );
  const in_ = (...states: string[]) =>
    wanting.filter(({ state }) => states.includes(state));
  return {
    sent: in_("enabled", "paused"),
    pausedIds: in_("paused").map(({ id }) => id),
    disabledIds: in_("disabled").map(({ id }) => id),
    noMatchCount: all.length - wanting.length,
    hasFilters: in_("enabled", "paused").some(({ filter }) => filter !== null),
  };
}

/** Sorted, because the index promises no order. */
const inOrder = ({ sent, pausedIds, disabledIds, ...rest }: FanOut) => ({
  ...rest,
  sent: sent.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  pausedIds: pausedIds.toSorted(),
  disabledIds: disabledIds.toSorted(),
});

const TENANTS = ["acme", "beta"];
const TYPES = ["order", "order.paid", "order.paid.late", "orders.paid", "user"];

/** A change of the table: a new version of an endpoint, or its deletion. Few ids, so that most changes meet a known endpoint. */
const aChange = fc.record({
  id: fc.constantFrom("ep_1", "ep_2", "ep_3", "ep_4"),
  endpoint: fc.option(
    fc.record({
      tenantId: fc.constantFrom(...TENANTS),
      state: fc.constantFrom("enabled", "paused", "disabled"),
      filter: fc.constantFrom(null, "true"),
      eventTypes: fc.array(
        fc.constantFrom(...TYPES, ...TYPES.map((type) => `${type}.*`), "*"),
        { maxLength: 4 },
      ),
    }),
    { nil: undefined },
  ),
});

test("after any changes of the table the index agrees with a search of all endpoints, for every tenant and type", () => {
  fc.assert(
    fc.property(fc.array(aChange, { maxLength: 30 }), (changes) => {
      const table = new Map<string, Endpoint>();
      const index = new EndpointIndex();

      for (const { id, endpoint } of changes) {
        const value = endpoint && anEndpoint({ id, ...endpoint });
        if (value === undefined) table.delete(id);
        else table.set(id, value);
        index.set(id, value);

        for (const tenantId of TENANTS)
          for (const type of TYPES) {
            const expected = byLookingAtAll(table, tenantId, type);
            const found = index.fanOut(tenantId, type);
            expect(inOrder(found)).toEqual(inOrder(expected));
            expect(index.mostWanting(tenantId, type)).toBeGreaterThanOrEqual(
              expected.sent.length,
            );
          }
      }
    }),
  );
});

test("an event touches none of the endpoints that do not want it", () => {
  const index = new EndpointIndex();
  const untouchable = anEndpoint({ id: "ep_other", eventTypes: ["user.*"] });
  let reads = 0;
  index.set("ep_1", anEndpoint({ id: "ep_1", eventTypes: ["order.*"] }));
  index.set(
    "ep_other",
    new Proxy(untouchable, {
      get: (target, name) => {
        reads += 1;
        return Reflect.get(target, name);
      },
    }),
  );
  reads = 0;

  const { sent, noMatchCount } = index.fanOut("acme", "order.paid");

  expect(sent.map(({ id }) => id)).toEqual(["ep_1"]);
  expect(noMatchCount).toBe(1);
  expect(reads).toBe(0);
});

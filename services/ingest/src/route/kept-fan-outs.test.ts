import { expect, test } from "@jest/globals";
import { fanOut } from "@postrider/core";
import { anEndpoint } from "@postrider/testkit";
import { KeptFanOuts } from "./kept-fan-outs.ts";

const found = fanOut([anEndpoint()], 1);

test("a fan-out is kept until its tenant is forgotten", () => {
  const kept = new KeptFanOuts();
  kept.keep("acme", "order.paid", found);
  kept.keep("beta", "order.paid", found);

  kept.forget("acme");

  expect(kept.get("acme", "order.paid")).toBeUndefined();
  expect(kept.get("beta", "order.paid")).toBe(found);
  expect(kept.count).toBe(1);
});

test("never more are kept than the limit, however many tenants and types there are", () => {
  const kept = new KeptFanOuts(10);

  for (let i = 0; i < 100; i++) {
    kept.keep(`tenant${i % 7}`, `type${i % 30}`, found);

    expect(kept.count).toBeLessThanOrEqual(10);
    expect(kept.get(`tenant${i % 7}`, `type${i % 30}`)).toBe(found);
  }
});

test("a fan-out to many endpoints is not kept", () => {
  const kept = new KeptFanOuts();
  const many = Array.from({ length: 101 }, () => anEndpoint());

  kept.keep("acme", "order.paid", fanOut(many, 101));

  expect(kept.get("acme", "order.paid")).toBeUndefined();
});

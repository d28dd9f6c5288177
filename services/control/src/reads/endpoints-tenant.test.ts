import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { withEndpointsTenant } from "./endpoints-tenant.ts";
import { readSeriesAsked } from "./series/series-parameters.ts";

const endpoints = new Map(
  [
    anEndpoint({ id: "ep_1", tenantId: "acme" }),
    anEndpoint({ id: "ep_3", tenantId: "acme" }),
    anEndpoint({ id: "ep_4", tenantId: "globex" }),
  ].map((one) => [one.id, one]),
);

test.each([
  ["of a known endpoint", { endpointId: "ep_1" }, "acme"],
  ["of one that is not known", { endpointId: "ep_2" }, undefined],
  ["without an endpoint", {}, undefined],
  [
    "that names a tenant itself",
    { endpointId: "ep_1", tenantId: "globex" },
    "globex",
  ],
])("a question %s is about the tenant's rows", (_, asked, tenantId) => {
  expect(withEndpointsTenant(asked, endpoints)).toEqual({
    ...asked,
    ...(tenantId !== undefined && { tenantId }),
  });
});

test.each([
  ["ep_1", "acme"],
  ["ep_1,ep_3", "acme"],
  ["ep_1,ep_2", undefined],
  ["ep_1,ep_4", undefined],
])(
  "a series of the endpoints %s is about the rows of the tenant %s",
  (endpointId, tenantId) => {
    const asked = readSeriesAsked({ endpointId }, Date.now());

    expect(withEndpointsTenant(asked, endpoints).tenantId).toBe(tenantId);
  },
);

import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { withEndpointsTenant } from "./endpoints-tenant.ts";

const KNOWN = anEndpoint({ id: "ep_1", tenantId: "acme" });
const endpoints = new Map([[KNOWN.id, KNOWN]]);

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

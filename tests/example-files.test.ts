/** The files of examples/ are what the documentation shows: each is read by its parser, and judged by the rules of the service that takes it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { readSourcesFile } from "@postrider/messaging";
import { readEndpointsFile } from "../packages/cli/src/apply/endpoints-file.ts";
import { readTypesFile } from "../packages/cli/src/apply/types-file.ts";
import { createEndpointInput } from "../services/control/src/endpoints/endpoint-input.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const example = (name: string): string => join(root, "examples", name);

test("sources.yaml is a file of sources", () => {
  expect(
    readSourcesFile(example("sources.yaml")).map(({ topic }) => topic),
  ).toEqual(["shop.orders", "shop.parcels"]);
});

test("endpoints.yaml is a file of endpoints, each of which may be created", () => {
  const { wanted, problems } = readEndpointsFile(example("endpoints.yaml"), {
    BILLING_WEBHOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    BILLING_AUTHORIZATION: "Bearer of-billing",
  });

  expect(problems).toEqual([]);
  const input = createEndpointInput({
    allowHttp: false,
    allowedCidrs: [],
    deniedCidrs: [],
  });
  expect(
    wanted.map(({ body }) => input.parseCreation(body).externalId),
  ).toEqual(["billing", "crm"]);
});

test("event-types.yaml is a file of event types", () => {
  const { wanted, problems } = readTypesFile(example("event-types.yaml"));

  expect(problems).toEqual([]);
  expect(wanted.map(({ name }) => name)).toEqual([
    "order.paid",
    "order.cancelled",
  ]);
});

import { expect, test } from "@jest/globals";
import type { Ask, Asked } from "../api/ask.ts";
import { reencryptAll } from "./reencrypt.ts";

test("rounds go on where the one before has ended, until there is no next, and are summed up", async () => {
  const failed = {
    endpointId: "ep_1",
    tenantId: "acme",
    secretId: "sec_1",
    header: null,
    kid: "k1",
    reason: "key_missing",
  };
  const rounds = [
    { secrets: 2, headers: 1, failed: [failed], next: "ep_1" },
    { secrets: 1, headers: 0, failed: [], next: null },
  ];
  const asked: unknown[] = [];
  const ask: Ask = async <T>(path: string, { body, why }: Asked = {}) => {
    asked.push([path, body, why]);
    return rounds[asked.length - 1] as T; // what the path answers
  };

  const total = await reencryptAll(ask, "k1 ends");

  expect(total).toEqual({ secrets: 3, headers: 1, failed: [failed] });
  expect(asked).toEqual([
    ["v1/secrets/reencrypt", { after: "" }, "k1 ends"],
    ["v1/secrets/reencrypt", { after: "ep_1" }, "k1 ends"],
  ]);
});

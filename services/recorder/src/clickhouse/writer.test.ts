import { afterAll, expect, test } from "@jest/globals";
import { anAttempt, aRawRecord } from "@postrider/testkit";
import { ATTEMPTS } from "../columns.ts";
import { createWriter } from "./writer.ts";

const raw = aRawRecord({ topic: "attempts" });
/** Node's message about it says "Received type number (4111)". */
const broken = { ...anAttempt(), worker: 4111 as unknown as string };
const rows = [{ value: broken, raw }];
const writer = createWriter({ url: "http://127.0.0.1:1", database: "none" });
const signal = AbortSignal.timeout(5_000);
afterAll(() => writer.close());

test("a record whose value has another type than its column is refused, so that it cannot stop the others", async () => {
  const answer = await writer.tableOf(ATTEMPTS).insert(rows, "token", signal);

  expect(answer).toEqual({
    kind: "refused",
    detail: "no block could be made of the rows: column worker: TypeError",
  });
});

import { expect, test } from "@jest/globals";
import { anAttempt } from "@postrider/testkit";
import { ATTEMPTS } from "../columns.ts";
import { createWriter } from "./writer.ts";

test("a record whose value has another type than its column is refused, so that it cannot stop the others", async () => {
  const writer = createWriter({ url: "http://127.0.0.1:1", database: "none" });
  const broken = { ...anAttempt(), worker: null as unknown as string };
  const raw = {
    topic: "attempts",
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
  };

  const answer = await writer
    .tableOf(ATTEMPTS)
    .insert([{ value: broken, raw }], "token", AbortSignal.timeout(5_000));

  expect(answer).toMatchObject({ kind: "refused" });
  await writer.close();
});

import { expect, test } from "@jest/globals";
import { requestsOf } from "./broker-requests.ts";

test("a consumer's fetch counts once, and what has no name of its own is other", () => {
  const requests = requestsOf(
    '{"Fetch":12,"FetchConsumer":9,"FetchFollower":3,"Heartbeat":4,"Metadata":2,"OffsetCommit":5,"Produce":7}',
  );

  expect(requests).toEqual({
    produce: 7,
    fetch: 9,
    offsetCommit: 5,
    other: 9,
  });
});

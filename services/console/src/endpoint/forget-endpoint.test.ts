import { expect, test } from "@jest/globals";
import { QueryClient } from "@tanstack/react-query";
import { forgetEndpoint } from "./forget-endpoint.ts";

const page = { endpoints: [{ id: "ep_1" }, { id: "ep_2" }], nextCursor: null };

test("a deleted endpoint is in no list at once, and in nothing once its page is left", async () => {
  const client = new QueryClient({
    // Otherwise its timers would outlive the test.
    defaultOptions: { queries: { gcTime: Infinity } },
  });
  client.setQueryData(["endpoints", {}], page);
  client.setQueryData(["endpoints", { state: "enabled" }], page);
  for (const id of ["ep_1", "ep_2"])
    for (const name of ["endpoint", "waiting", "resume", "failures"])
      client.setQueryData([name, id], { id });
  const pageIsLeft = Promise.withResolvers<void>();

  const forgotten = forgetEndpoint(client, "ep_1", pageIsLeft.promise);

  for (const search of [{}, { state: "enabled" }])
    expect(client.getQueryData(["endpoints", search])).toEqual({
      endpoints: [{ id: "ep_2" }],
      nextCursor: null,
    });
  expect(client.getQueryData(["endpoint", "ep_1"])).toBeDefined();

  pageIsLeft.resolve();
  await forgotten;
  const kept = client
    .getQueryCache()
    .getAll()
    .map(({ queryKey }) => queryKey.join(" "))
    .filter((key) => key.includes("ep_"));
  expect(kept).toEqual([
    "endpoint ep_2",
    "waiting ep_2",
    "resume ep_2",
    "failures ep_2",
  ]);
});

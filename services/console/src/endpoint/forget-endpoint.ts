import type { QueryClient } from "@tanstack/react-query";
import type { EndpointPage } from "../api/answers-endpoints.ts";

/** What was read of one endpoint, by the first part of its key. */
const OF_ONE = ["endpoint", "waiting", "resume", "failures"] as const;

/**
 * Takes a deleted endpoint out of everything that was read: out of the lists at once, and what is of itself alone as soon as its page
 * is left. Before that the page would ask for it again.
 */
export async function forgetEndpoint(
  client: QueryClient,
  id: string,
  pageIsLeft: Promise<unknown>,
): Promise<void> {
  const lists = { queryKey: ["endpoints"] };
  // An answer that is under way is of before the deletion.
  const cancelled = client.cancelQueries(lists);
  client.setQueriesData<EndpointPage>(
    lists,
    (page) =>
      page && {
        ...page,
        endpoints: page.endpoints.filter((each) => each.id !== id),
      },
  );
  await cancelled;
  void client.invalidateQueries(lists);
  await pageIsLeft;
  for (const name of OF_ONE) client.removeQueries({ queryKey: [name, id] });
  // Explanations say how an endpoint is now.
  void client.invalidateQueries({ queryKey: ["event"] });
}

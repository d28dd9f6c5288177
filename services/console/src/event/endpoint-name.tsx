import type { EndpointNow } from "../api/answers-event.ts";
import { Text } from "../parts/text.tsx";

/** What people know an endpoint by: its description, else its URL, else its id. */
export function EndpointName({ of }: { readonly of: EndpointNow }) {
  if (of.state === "inline")
    return <Text>{of.url ?? "the destination that the event brought"}</Text>;
  return <Text>{of.description || (of.url ?? of.id)}</Text>;
}

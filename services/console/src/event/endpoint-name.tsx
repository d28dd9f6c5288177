import { Link } from "@tanstack/react-router";
import type { EndpointNow } from "../api/answers-event.ts";
import { Text } from "../parts/text.tsx";

/** What people know an endpoint by: its description, else its URL, else its id. */
export function EndpointName({ of }: { readonly of: EndpointNow }) {
  if (of.state === "inline")
    return <Text>{of.url ?? "the destination that the event brought"}</Text>;
  return <Text>{of.description || (of.url ?? of.id)}</Text>;
}

/** The same as a link to its page, where it has one. */
export function EndpointLink({ of }: { readonly of: EndpointNow }) {
  if (of.state === "inline" || of.state === "deleted")
    return <EndpointName of={of} />;
  return (
    <Link to="/endpoints/$id" params={{ id: of.id }}>
      <EndpointName of={of} />
    </Link>
  );
}

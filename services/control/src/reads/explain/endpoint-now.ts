import type { Endpoint } from "@postrider/core";
import type { EndpointGroup, EndpointNow } from "./explanation.ts";

/** So many endpoints of a kind are shown; the others are counted. */
export const MAX_ENDPOINTS = 10;

/** The endpoint of this id, if the event's tenant has it now. */
export type FindEndpoint = (id: string) => Endpoint | undefined;

export function endpointNow(id: string, find: FindEndpoint): EndpointNow {
  const endpoint = find(id);
  if (endpoint === undefined)
    return {
      id,
      state: isInline(id) ? "inline" : "deleted",
      stateReason: null,
      externalId: null,
      description: "",
      url: null,
      eventTypes: [],
      filter: null,
      rateLimit: null,
    };
  return shownEndpoint(endpoint);
}

export function shownEndpoint(endpoint: Endpoint): EndpointNow {
  const { id, state, stateReason, externalId, description, url } = endpoint;
  const { eventTypes, filter, rateLimit } = endpoint;
  return {
    id,
    state,
    stateReason,
    externalId,
    description,
    url,
    eventTypes,
    filter,
    rateLimit:
      rateLimit === null
        ? null
        : { perSecond: rateLimit.perSecond, burst: rateLimit.burst },
  };
}

export function endpointGroup(
  ids: readonly string[],
  find: FindEndpoint,
): EndpointGroup {
  return {
    count: ids.length,
    endpoints: ids.slice(0, MAX_ENDPOINTS).map((id) => endpointNow(id, find)),
  };
}

/** The id of an inline destination, which is no endpoint that anybody registered. */
export function isInline(endpointId: string): boolean {
  return endpointId.startsWith("inline_");
}

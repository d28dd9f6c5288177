import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiProblem, isNotFound } from "../api/api-problem.ts";
import type { EndpointSettings } from "../api/answers-endpoints.ts";
import { useSession } from "../session/session-context.ts";

const EVERY_MS = 15_000;
/** Another replica of control may know a new endpoint a moment later. What was missing so often is not there, and its id is never given again. */
const TIMES_MISSING = 3;

/** The endpoint as it is, asked for again now and then: others change it, too, and so does a receiver that answers 410. */
export function useEndpointSettings(id: string) {
  const { ask } = useSession();
  return useQuery({
    queryKey: ["endpoint", id],
    queryFn: ({ signal }) =>
      ask<EndpointSettings>(`v1/${endpointPath(id)}`, { signal }),
    refetchInterval: ({ state: { error, errorUpdateCount } }) =>
      isNotFound(error) && errorUpdateCount >= TIMES_MISSING ? false : EVERY_MS,
  });
}

export function endpointPath(id: string): string {
  return `endpoints/${encodeURIComponent(id)}`;
}

/** To be called with what a change has answered: every page then shows it. */
export function useChanged(): (endpoint: EndpointSettings) => void {
  const client = useQueryClient();
  return (endpoint) => {
    // Only settings: an answer that also has a secret must not stay in memory.
    const { secret: _, ...settings } = endpoint as EndpointSettings & {
      readonly secret?: string;
    };
    client.setQueryData(["endpoint", endpoint.id], settings);
    // The endpoint itself, too: an answer that is under way is of before the change.
    for (const queryKey of [
      ["endpoint", endpoint.id],
      ["endpoints"],
      ["waiting"],
      ["resume"],
    ])
      void client.invalidateQueries({ queryKey });
  };
}

/** Reads the endpoint anew where a change was refused because somebody else came first (412): the next try is then meant for what is shown. */
export function useRefreshed(
  id: string,
): <T>(change: Promise<T>) => Promise<T> {
  const client = useQueryClient();
  return (change) =>
    change.catch(async (error: unknown) => {
      if (error instanceof ApiProblem && error.status === 412)
        await client.invalidateQueries({ queryKey: ["endpoint", id] });
      throw error;
    });
}

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { System } from "../api/answers-system.ts";
import { useSession } from "../session/session-context.ts";

const EVERY_MS = 5_000;

/** Groups and topics as Kafka tells them, asked again while the tab is visible. Asks nothing with a tenant's key. */
export function useSystem(): UseQueryResult<System> {
  const { ask, caller } = useSession();
  return useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => ask<System>("v1/system", { signal }),
    enabled: caller.tenantId === null,
    refetchInterval: EVERY_MS,
  });
}

import {
  keepPreviousData,
  useQuery,
  type UseQueryResult,
} from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Query } from "../api/ask.ts";
import { useSession } from "../session/session-context.ts";

/** Whether the page asks again by itself. */
export const LiveContext = createContext(true);

export const REFRESH_MS = 30_000;

/** All questions of the page, so that a button can ask them again. */
export const OVERVIEW = "overview";

/** What a panel shows. It is asked again every half a minute while the tab is visible. The same question of two panels is asked once; null asks nothing. */
export function useFresh<T>(
  path: string,
  query: Query | null = {},
): UseQueryResult<T> {
  const { ask } = useSession();
  const isLive = useContext(LiveContext);
  return useQuery({
    queryKey: [OVERVIEW, path, query],
    queryFn: ({ signal }) => ask<T>(path, { query: query ?? {}, signal }),
    enabled: query !== null,
    placeholderData: keepPreviousData,
    refetchInterval: isLive && REFRESH_MS,
    refetchOnWindowFocus: isLive,
  });
}

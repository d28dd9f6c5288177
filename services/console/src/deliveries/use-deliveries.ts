import {
  keepPreviousData,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { type RefObject, useCallback, useState } from "react";
import type { DeliveryPage } from "../api/answers.ts";
import { useSession } from "../session/session-context.ts";
import { queryOf, type DeliverySearch } from "./delivery-filters.ts";
import { useReader } from "./use-reader.ts";

export const LIVE_EVERY_MS = 2_000;

/** A page of the list that is shown in `section`. Where the search says `live` it is asked for anew every two seconds, until somebody reads in it. */
export function useDeliveries(
  search: DeliverySearch,
  section: RefObject<HTMLElement | null>,
) {
  const { ask } = useSession();
  const client = useQueryClient();
  // Another question is one to follow again.
  const [stoppedAt, setStoppedAt] = useState<DeliverySearch | null>(null);
  const isLive = search.live !== undefined;
  const isRunning = isLive && stoppedAt !== search;
  const query = queryOf(search);
  const found = useQuery({
    queryKey: ["deliveries", query],
    queryFn: ({ signal }) =>
      ask<DeliveryPage>("v1/deliveries", { query, signal }),
    placeholderData: keepPreviousData,
    // Not in a tab that nobody sees, and not before the last answer has come.
    refetchInterval: isRunning && LIVE_EVERY_MS,
    refetchOnWindowFocus: !isLive || isRunning,
  });
  const stop = useCallback(() => {
    setStoppedAt(search);
    // An answer that is under way would still move the rows.
    void client.cancelQueries({ queryKey: ["deliveries", queryOf(search)] });
  }, [client, search]);
  const hasRows = found.data !== undefined && !found.isPlaceholderData;
  useReader(section, isRunning && hasRows, stop);

  function goOn(): void {
    const top = section.current?.getBoundingClientRect().top ?? 0;
    if (top < 0) section.current?.scrollIntoView({ block: "start" });
    setStoppedAt(null);
    void found.refetch();
  }
  return { found, isLive, isRunning, goOn };
}

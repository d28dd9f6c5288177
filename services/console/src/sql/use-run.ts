import {
  keepPreviousData,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useSession } from "../session/session-context.ts";
import { readResult, type Result } from "./query-answer.ts";

/** What is asked. The same with another `turn` is asked again. */
export type Asked = { readonly turn: number } & (
  | { readonly kind: "own"; readonly sql: string }
  | {
      readonly kind: "saved";
      readonly name: string;
      readonly values: Readonly<Record<string, string | undefined>>;
    }
);

export type Run =
  | { readonly kind: "none" | "cancelled" }
  /** `before`: the last result, while the next one is not there. */
  | {
      readonly kind: "running";
      readonly before: Result | null;
      readonly cancel: () => void;
    }
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly error: Error };

/** Asks it once. Whoever leaves the page, or cancels, ends it in ClickHouse, too. */
export function useRun(asked: Asked | null): Run {
  const { ask } = useSession();
  const client = useQueryClient();
  const queryKey = ["run", asked];
  const { data, error, isFetching, isPlaceholderData } = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const how = { signal, parse: readResult };
      if (asked === null) throw new Error("nothing is asked"); // see `enabled`
      return asked.kind === "own"
        ? await ask<Result>("v1/query", { ...how, body: { sql: asked.sql } })
        : await ask<Result>(`v1/queries/${encodeURIComponent(asked.name)}`, {
            ...how,
            query: asked.values,
          });
    },
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    // A query costs: it runs when somebody says so, and at no other time. A large result is not kept, nor compared with the one before.
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    structuralSharing: false,
  });
  if (asked === null) return { kind: "none" };
  if (isFetching)
    return {
      kind: "running",
      before: data ?? null,
      cancel: () => void client.cancelQueries({ queryKey }),
    };
  if (error !== null) return { kind: "failed", error };
  return data === undefined || isPlaceholderData
    ? { kind: "cancelled" }
    : { kind: "done", result: data };
}

import { useQuery } from "@tanstack/react-query";
import type { Endpoint } from "../api/answers.ts";
import { isNotFound } from "../api/api-problem.ts";
import { useSession } from "../session/session-context.ts";

/** Where a delivery goes, as far as it can be shown. */
export type FoundEndpoint =
  | { readonly kind: "known"; readonly endpoint: Endpoint }
  /** It came with the event, and is nowhere else. */
  | { readonly kind: "inline" }
  | { readonly kind: "deleted" }
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly why: string };

export function useEndpoint(id: string): FoundEndpoint {
  const { ask } = useSession();
  const isInline = id.startsWith("inline_");
  const { data, error } = useQuery({
    queryKey: ["endpoint", id],
    queryFn: ({ signal }) =>
      ask<Endpoint>(`v1/endpoints/${encodeURIComponent(id)}`, { signal }),
    enabled: !isInline,
  });
  if (isInline) return { kind: "inline" };
  // What was read before its deletion may still be here.
  if (isNotFound(error)) return { kind: "deleted" };
  if (data !== undefined) return { kind: "known", endpoint: data };
  if (error === null) return { kind: "loading" };
  return { kind: "failed", why: error.message };
}

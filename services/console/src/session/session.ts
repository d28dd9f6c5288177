import { ApiProblem } from "../api/api-problem.ts";
import type { Ask, Asked } from "../api/ask.ts";
import type { Caller } from "../api/answers.ts";

/** Who is signed in. The key itself is only in `ask`. */
export interface Session {
  readonly ask: Ask;
  readonly caller: Caller;
}

export type SessionState =
  | { readonly kind: "signed_in"; readonly session: Session }
  /** `why`: what ended the session before; null where nothing did. */
  | { readonly kind: "signed_out"; readonly why: string | null };

/**
 * Invariant: a key is in this tab's memory alone, in the closure of `ask`. It is in no storage, no cookie and no URL, so it goes with
 * the tab, another site's page cannot use it (no browser adds it to a request), and a shared link holds none.
 */
export interface SessionStore {
  readonly state: () => SessionState;
  readonly signIn: (session: Session) => void;
  readonly signOut: (why?: string) => void;
  /** Returns what ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;
}

export function createSessionStore(): SessionStore {
  let state: SessionState = { kind: "signed_out", why: null };
  const listeners = new Set<() => void>();
  function become(next: SessionState): void {
    state = next;
    for (const listener of listeners) listener();
  }
  /** A key that is refused ends its session, whether something was read or changed with it. */
  function endedByRefusal({ ask, caller }: Session): Session {
    const session: Session = {
      caller,
      async ask<T>(path: string, asked?: Asked): Promise<T> {
        try {
          return await ask<T>(path, asked);
        } catch (error) {
          // A late answer to an earlier key says nothing of this one.
          const isOfNow =
            state.kind === "signed_in" && state.session === session;
          if (isOfNow && error instanceof ApiProblem && error.status === 401)
            become({ kind: "signed_out", why: error.message });
          throw error;
        }
      },
    };
    return session;
  }
  return {
    state: () => state,
    signIn: (session) =>
      become({ kind: "signed_in", session: endedByRefusal(session) }),
    signOut: (why) => become({ kind: "signed_out", why: why ?? null }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Null: the key may use the console. Otherwise why it may not. */
export function refusalOf({ role }: Caller): string | null {
  return role === "publisher"
    ? "This key may only publish events. Sign in with the key of a reader or an administrator."
    : null;
}

/** What a key may do, in a few words. */
export function inWords({ role, tenantId }: Caller): string {
  const who = role === "admin" ? "Administrator" : "Reader";
  return tenantId === null ? `${who}, all tenants` : `${who} of ${tenantId}`;
}

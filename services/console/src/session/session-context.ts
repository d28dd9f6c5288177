import { createContext, useContext } from "react";
import type { Session, SessionStore } from "./session.ts";

export const StoreContext = createContext<SessionStore | null>(null);
export const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only below `SignedIn`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("nobody is signed in here");
  return session;
}

export function useSessionStore(): SessionStore {
  const store = useContext(StoreContext);
  if (store === null) throw new Error("there is no session store here");
  return store;
}

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { ApiProblem } from "./api/api-problem.ts";
import { NowProvider } from "./parts/now.tsx";
import { ShownOnceProvider } from "./parts/shown-once.tsx";
import { ZoneProvider } from "./parts/zone.tsx";
import { createConsoleRouter, preloadPage } from "./routes.tsx";
import { SessionContext, StoreContext } from "./session/session-context.ts";
import type { Session, SessionStore } from "./session/session.ts";
import { SignIn } from "./session/sign-in.tsx";

/** Everything, for one tab. The router is there before somebody is signed in, so a shared link opens where it points once its reader is. */
export function App({ store }: { readonly store: SessionStore }) {
  const [router] = useState(createConsoleRouter);
  const state = useSyncExternalStore(store.subscribe, store.state);
  useEffect(() => preloadPage(router), [router]);
  return (
    // Mantine would write its variables and classes into <style> elements, which our Content-Security-Policy refuses. All of them are in its style sheet.
    <MantineProvider
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <NowProvider>
        <ZoneProvider>
          <ShownOnceProvider>
            <StoreContext value={store}>
              {state.kind === "signed_out" ? (
                <SignIn store={store} why={state.why} />
              ) : (
                <SignedIn session={state.session}>
                  <RouterProvider router={router} />
                </SignedIn>
              )}
            </StoreContext>
          </ShownOnceProvider>
        </ZoneProvider>
      </NowProvider>
    </MantineProvider>
  );
}

/** What was read with one key is forgotten with it: each session has a cache of its own. */
function SignedIn({
  session,
  children,
}: {
  readonly session: Session;
  readonly children: React.ReactNode;
}) {
  const [client] = useState(createClient);
  return (
    <QueryClientProvider client={client}>
      <SessionContext value={session}>{children}</SessionContext>
    </QueryClientProvider>
  );
}

function createClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the browser believes of the network is nothing to a control on the same machine.
        networkMode: "always",
        staleTime: 5_000,
        retry: (count, error) =>
          count < 2 && error instanceof ApiProblem && error.isPassing,
      },
      mutations: { networkMode: "always" },
    },
  });
}

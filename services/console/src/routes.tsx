import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
} from "@tanstack/react-router";
import { DeliveriesPage } from "./deliveries/deliveries-page.tsx";
import { deliverySearch } from "./deliveries/delivery-filters.ts";
import { DeliveryPage } from "./delivery/delivery-page.tsx";
import { Failure, Nothing } from "./parts/notices.tsx";
import { Shell } from "./shell/shell.tsx";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Nothing title="There is no such page" />,
  errorComponent: ({ error, reset }) => (
    <Failure error={error} onRetry={reset} />
  ),
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: () => <Navigate to="/deliveries" replace />,
});

const deliveries = createRoute({
  getParentRoute: () => root,
  path: "/deliveries",
  validateSearch: deliverySearch,
  component: DeliveriesPage,
});

const delivery = createRoute({
  getParentRoute: () => root,
  path: "/deliveries/$id",
  component: DeliveryPage,
});

const routeTree = root.addChildren([start, deliveries, delivery]);

/**
 * Pages are in the fragment of the URL (`#/deliveries?status=failed`). So control has one page to serve, no page's address can be
 * that of an API route, and all of it works below any path without knowing it. What is filtered for is in no proxy's log.
 */
export function createConsoleRouter() {
  return createRouter({
    routeTree,
    history: createHashHistory(),
    // Plain `name=value`: by default a text that looks like a number would be quoted.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const given = new URLSearchParams(search as Record<string, string>); // routes have texts only
      return given.size === 0 ? "" : `?${given}`;
    },
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
  interface HistoryState {
    /** The entry before this one is the list that led here. */
    readonly isFromList?: boolean;
  }
}

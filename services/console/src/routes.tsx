import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
} from "@tanstack/react-router";
import { DeliveriesPage } from "./deliveries/deliveries-page.tsx";
import { groupSearch, letterSearch } from "./dead-letters/letter-filters.ts";
import { deliverySearch } from "./deliveries/delivery-filters.ts";
import { DeliveryPage } from "./delivery/delivery-page.tsx";
import { eventSearch } from "./event/event-search.ts";
import { Nothing } from "./parts/notices.tsx";
import { overviewSearch } from "./overview/ranges.ts";
import { askedSearch } from "./replays/new-replay.ts";
import { replaySearch } from "./replays/replay-filters.ts";
import { endpointSearch } from "./endpoints/endpoint-filters.ts";
import { lazyPage } from "./shell/lazy-page.ts";
import { PageFault } from "./shell/page-fault.tsx";
import { Shell } from "./shell/shell.tsx";
import { systemSearch } from "./system/system-search.ts";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Nothing title="There is no such page" />,
  errorComponent: PageFault,
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: () => <Navigate to="/overview" replace />,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/overview",
  validateSearch: overviewSearch,
  component: lazyPage(
    () => import("./overview/overview-page.tsx"),
    "OverviewPage",
  ),
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

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  validateSearch: groupSearch,
  component: lazyPage(
    () => import("./dead-letters/dead-letters-page.tsx"),
    "DeadLettersPage",
  ),
});

const deadLetterGroup = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters/group",
  validateSearch: letterSearch,
  component: lazyPage(
    () => import("./dead-letters/group-page.tsx"),
    "GroupPage",
  ),
});

const replays = createRoute({
  getParentRoute: () => root,
  path: "/replays",
  validateSearch: replaySearch,
  component: lazyPage(
    () => import("./replays/replays-page.tsx"),
    "ReplaysPage",
  ),
});

const newReplay = createRoute({
  getParentRoute: () => root,
  path: "/replays/new",
  validateSearch: askedSearch,
  component: lazyPage(
    () => import("./replays/new-replay-page.tsx"),
    "NewReplayPage",
  ),
});

const replay = createRoute({
  getParentRoute: () => root,
  path: "/replays/$id",
  component: lazyPage(() => import("./replays/replay-page.tsx"), "ReplayPage"),
});

const event = createRoute({
  getParentRoute: () => root,
  path: "/events/$id",
  validateSearch: eventSearch,
  component: lazyPage(() => import("./event/event-page.tsx"), "EventPage"),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  validateSearch: systemSearch,
  component: lazyPage(() => import("./system/system-page.tsx"), "SystemPage"),
});

const sql = createRoute({
  getParentRoute: () => root,
  path: "/sql",
  validateSearch: ({
    sql: text,
  }: Record<string, unknown>): {
    sql?: string;
  } => (typeof text === "string" ? { sql: text } : {}),
  component: lazyPage(() => import("./sql/own-sql-page.tsx"), "OwnSqlPage"),
});

const savedQueries = createRoute({
  getParentRoute: () => root,
  path: "/sql/saved",
  component: lazyPage(
    () => import("./sql/saved-queries-page.tsx"),
    "SavedQueriesPage",
  ),
});

/** Its parameters are those of the query, which the API knows. */
const savedQuery = createRoute({
  getParentRoute: () => savedQueries,
  path: "$name",
  validateSearch: (given: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, String(value)]),
    ),
  component: lazyPage(() => import("./sql/saved-query.tsx"), "SavedQueryPage"),
});

const endpoints = createRoute({
  getParentRoute: () => root,
  path: "/endpoints",
  validateSearch: endpointSearch,
  component: lazyPage(
    () => import("./endpoints/endpoints-page.tsx"),
    "EndpointsPage",
  ),
});

const newEndpoint = createRoute({
  getParentRoute: () => root,
  path: "/endpoints/new",
  component: lazyPage(
    () => import("./endpoint-form/new-endpoint-page.tsx"),
    "NewEndpointPage",
  ),
});

const endpoint = createRoute({
  getParentRoute: () => root,
  path: "/endpoints/$id",
  component: lazyPage(
    () => import("./endpoint/endpoint-page.tsx"),
    "EndpointPage",
  ),
});

const editEndpoint = createRoute({
  getParentRoute: () => root,
  path: "/endpoints/$id/edit",
  component: lazyPage(
    () => import("./endpoint-form/edit-endpoint-page.tsx"),
    "EditEndpointPage",
  ),
});

const routeTree = root.addChildren([
  start,
  overview,
  deliveries,
  delivery,
  deadLetters,
  deadLetterGroup,
  replays,
  newReplay,
  replay,
  event,
  system,
  sql,
  savedQueries.addChildren([savedQuery]),
  endpoints,
  newEndpoint,
  endpoint,
  editEndpoint,
]);

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
    defaultErrorComponent: PageFault,
    scrollRestoration: true,
    // The same search is the same object: otherwise what is being typed into a form of filters would be set back.
    defaultStructuralSharing: true,
  });
}

/** Begins to load the part of the page that the URL names, while somebody types a key. What goes wrong with it is told where the page is opened. */
export function preloadPage(
  router: ReturnType<typeof createConsoleRouter>,
): void {
  const matches = router.matchRoutes(router.latestLocation);
  const named = new Set(matches.map(({ routeId }) => String(routeId)));
  // From the start the way leads to the overview.
  if (named.has(start.id)) named.add(overview.id);
  for (const { id, options } of Object.values(router.routesById))
    if (named.has(id)) void options.component?.preload?.();
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

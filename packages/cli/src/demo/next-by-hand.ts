import { DEFAULT_PORTS } from "../processes/services.ts";

/** What the demo proposes at its end: everything that it showed is gone by then, its console, too. */
export const NEXT_BY_HAND = [
  "Next, by hand:",
  "  npx postrider dev                 a stack that stays, and its console for a browser: it prints the address,",
  `                                    http://127.0.0.1:${DEFAULT_PORTS.control}/ unless that port is taken`,
  "  npx postrider receiver --help     a receiver that checks signatures, and fails when told to",
  "  npx postrider endpoints --help    register an endpoint",
  "  npx postrider publish --help      publish an event and watch it arrive",
] as const;

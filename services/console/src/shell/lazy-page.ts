import { lazyRouteComponent } from "@tanstack/react-router";
import { loadPart, type Served } from "./load-part.ts";

/** A page that is loaded when it is opened. By itself the router would reload the tab where its files are gone, and so take the key out of its memory. */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(() => loadPart(load, servedHere()), name);

function servedHere(): Served {
  const script = document.querySelector("script[type=module]");
  return {
    entry: script?.getAttribute("src") ?? "",
    send: (...request) => fetch(...request),
  };
}

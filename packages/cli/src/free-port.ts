import { createServer } from "node:net";

/** Picks ports of the loopback; never the same twice. */
export interface PortPicker {
  /** The first free one from `wanted` upwards; 0: any. */
  pick(wanted: number): Promise<number>;
}

export function createPortPicker(): PortPicker {
  const given = new Set<number>();
  return {
    async pick(wanted) {
      for (let port = wanted; port <= 65_535; port += wanted === 0 ? 0 : 1) {
        if (port !== 0 && given.has(port)) continue;
        const bound = await tryBind(port);
        if (bound === null || given.has(bound)) continue;
        given.add(bound);
        return bound;
      }
      throw new Error(`no free port from ${wanted} upwards`);
    },
  };
}

/** The port that could be bound, and is free again; null when it is taken. */
function tryBind(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const bound =
        typeof address === "object" ? (address?.port ?? null) : null;
      server.close(() => resolve(bound));
    });
  });
}

import { createServer } from "node:net";

/** Picks ports of the loopback; never the same twice. */
export interface PortPicker {
  /** The first free one from `wanted` upwards; 0: any. */
  pick(wanted: number): Promise<number>;
}

/** `onTaken` is told when another than the wanted one is picked. */
export function createPortPicker(
  onTaken: (wanted: number, picked: number) => void = () => undefined,
): PortPicker {
  const given = new Set<number>();
  return {
    async pick(wanted) {
      for (let port = wanted; port <= 65_535; port += wanted === 0 ? 0 : 1) {
        if (port !== 0 && given.has(port)) continue;
        const bound = await tryBind(port);
        if (bound === null || given.has(bound)) continue;
        given.add(bound);
        if (wanted !== 0 && bound !== wanted) onTaken(wanted, bound);
        return bound;
      }
      throw new Error(`no free port from ${wanted} upwards`);
    },
  };
}

/** Whether nobody has the port now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryBind(port)) !== null;
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

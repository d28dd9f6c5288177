import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Any port is one of these: below those that systems give to connections, and to servers that ask for any port (from 32,768
 * on; macOS from 49,152 on). So no other program gets the port by chance before the service binds it.
 */
const FIRST = 20_000;
const LAST = 32_767;
/** Processes that run at the same time look in different parts first: between the choice of a port and its use another one could choose it, too. */
const PART = 128;
const PARTS = Math.floor((LAST + 1 - FIRST) / PART);
const TRIES_IN_PART = 100;

/** Picks ports of the loopback interface. Never picks the same port twice. */
export interface PortPicker {
  /** The first free port from `wanted` upwards; 0: any free port. */
  pick(wanted: number): Promise<number>;
}

/** `onTaken` is called when the wanted port is in use and another one is picked. */
export function createPortPicker(
  onTaken: (wanted: number, picked: number) => void = () => undefined,
): PortPicker {
  const given = new Set<number>();
  return {
    async pick(wanted) {
      let tries = 0;
      for (let port = wanted; port <= 65_535; port += wanted === 0 ? 0 : 1) {
        if (port !== 0 && given.has(port)) continue;
        const bound = await tryBind(port === 0 ? anyPort(tries++) : port);
        if (bound === null || given.has(bound)) continue;
        given.add(bound);
        if (wanted !== 0 && bound !== wanted) onTaken(wanted, bound);
        return bound;
      }
      throw new Error(`no free port from ${wanted} upwards`);
    },
  };
}

function anyPort(tries: number): number {
  return tries < TRIES_IN_PART
    ? FIRST + (process.pid % PARTS) * PART + randomInt(PART)
    : randomInt(FIRST, LAST + 1);
}

/** Whether the port is free now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryBind(port)) !== null;
}

/** Binds the port and releases it; resolves to the port, or to null when it is taken. */
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

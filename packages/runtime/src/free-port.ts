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
const TRIES = 1_000;

/** Ports of any kind that this process has picked: until a service binds one, another picker would find it free. */
const pickedHere = new Set<number>();

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
      for (const port of wanted === 0 ? anyPorts() : upwards(wanted)) {
        if (given.has(port) || (wanted === 0 && pickedHere.has(port))) continue;
        // Before the look at the port, which gives way to other pickers.
        if (wanted === 0) pickedHere.add(port);
        if (!(await isPortFree(port))) continue;
        given.add(port);
        if (wanted !== 0 && port !== wanted) onTaken(wanted, port);
        return port;
      }
      throw new Error(
        `no free port from ${wanted === 0 ? `${FIRST} to ${LAST}` : `${wanted} upwards`}`,
      );
    },
  };
}

/** `count` different ports that were free a moment ago. Another process may take one before it is used, so callers check who answers there. */
export async function freePorts(count: number): Promise<number[]> {
  const picker = createPortPicker();
  const ports: number[] = [];
  while (ports.length < count) ports.push(await picker.pick(0));
  return ports;
}

function* anyPorts(): Generator<number> {
  for (let tries = 0; tries < TRIES; tries++)
    yield tries < TRIES_IN_PART
      ? FIRST + (process.pid % PARTS) * PART + randomInt(PART)
      : randomInt(FIRST, LAST + 1);
}

function* upwards(from: number): Generator<number> {
  for (let port = from; port <= 65_535; port++) yield port;
}

/** Whether the port can be bound on the loopback interface now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

/**
 * Ports below those that systems give to connections, and to servers that ask for any port (from 32,768 on; macOS from 49,152
 * on). So no other program gets one by chance before it is used, or while a killed server is down.
 */
const FIRST = 20_000;
const LAST = 32_767;
const TRIES = 1_000;
/** Processes that run at the same time look in different parts first: between the choice of a port and its use another one could choose it, too. */
const PART = 128;
const PARTS = Math.floor((LAST + 1 - FIRST) / PART);
const TRIES_IN_PART = 100;

/** `count` different TCP ports of the loopback interface that were free a moment ago. Another process may take one before it is used, so callers check who answers there. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const servers: Server[] = [];
  for (let tries = 0; ports.length < count && tries < TRIES; tries++) {
    const port =
      tries < TRIES_IN_PART
        ? FIRST + (process.pid % PARTS) * PART + randomInt(PART)
        : randomInt(FIRST, LAST + 1);
    try {
      servers.push(await listen(port));
      ports.push(port);
    } catch {
      // Taken: try another.
    }
  }
  await Promise.all(servers.map(close));
  if (ports.length < count)
    throw new Error(`no ${count} free ports from ${FIRST} to ${LAST}`);
  return ports;
}

/** Whether `port` can be bound on the loopback now. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

async function listen(port: number): Promise<Server> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Check, Health, Lifecycle } from "./effects.ts";
import { METRICS_CONTENT_TYPE, type RenderedMeter } from "./meter.ts";
import { createProcessGauges, type ProcessGauges } from "./process-gauges.ts";

/** The admin server. `url()` is the address it listens on; call it after `start`. */
export interface Admin extends Lifecycle {
  url(): string;
}

/** `startup` says whether the process is up and its loops run, whatever they wait for: if it fails, a restart helps. */
export interface AdminHealth extends Health {
  startup(): readonly Check[];
}

/**
 * Serves `/livez`, `/readyz` and `/startupz` (200 or 503, JSON with each check) and `/metrics`. It has no authentication: keep
 * it on loopback, or behind a network policy. `start` rejects when the port is taken.
 */
export function startAdmin(options: {
  readonly host: string;
  /** 0: the system chooses a free port. */
  readonly port: number;
  readonly health: AdminHealth;
  readonly meter: RenderedMeter;
}): Admin {
  let server: Server | undefined;
  let gauges: ProcessGauges | undefined;
  let origin = "";
  return {
    url: () => origin,
    async start() {
      const ownGauges = createProcessGauges(options.meter, () =>
        isReady(options.health),
      );
      const own = createServer((request, response) => {
        void answer(request, response, { ...options, gauges: ownGauges });
      });
      gauges = ownGauges;
      server = own;
      await new Promise<void>((resolve, reject) => {
        own.once("error", reject);
        own.listen(options.port, options.host, resolve);
      });
      const { port } = own.address() as AddressInfo; // a server that listens on a TCP port has an AddressInfo; only one on a pipe has a string
      const host = options.host.includes(":")
        ? `[${options.host}]`
        : options.host;
      origin = `http://${host}:${port}`;
    },
    async stop() {
      gauges?.stop();
      const open = server;
      server = undefined;
      if (open === undefined || !open.listening) return;
      open.closeAllConnections();
      await new Promise((resolve) => open.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: {
    readonly health: AdminHealth;
    readonly meter: RenderedMeter;
    readonly gauges: ProcessGauges;
  },
): Promise<void> {
  try {
    switch ((request.url ?? "/").split("?")[0]) {
      case "/livez":
        return sendChecks(response, "live", parts.health.live());
      case "/readyz":
        return sendChecks(response, "ready", parts.health.ready());
      case "/startupz":
        return sendChecks(response, "started", parts.health.startup());
      case "/metrics":
        parts.gauges.collect();
        return send(response, {
          status: 200,
          type: METRICS_CONTENT_TYPE,
          body: await parts.meter.render(),
        });
      default:
        return send(response, {
          status: 404,
          type: "application/json",
          body: JSON.stringify({
            paths: ["/livez", "/readyz", "/startupz", "/metrics"],
          }),
        });
    }
  } catch (error) {
    send(response, {
      status: 503,
      type: "application/json",
      body: JSON.stringify({ error: String(error) }),
    });
  }
}

/** A check that throws is a 503 to /readyz. It must not take the metrics away, too. */
function isReady(health: AdminHealth): boolean {
  try {
    return health.ready().every((check) => check.isOk);
  } catch {
    return false;
  }
}

function sendChecks(
  response: ServerResponse,
  name: "live" | "ready" | "started",
  checks: readonly Check[],
): void {
  const isOk = checks.every((check) => check.isOk);
  send(response, {
    status: isOk ? 200 : 503,
    type: "application/json",
    // The pid tells a process that asks for its child's health from another process that has the port.
    body: JSON.stringify({ [name]: isOk, pid: process.pid, checks }),
  });
}

/** Probes are rare, so each gets a connection of its own that is closed after the answer: no open connection delays the server's stop. */
function send(
  response: ServerResponse,
  answer: { status: number; type: string; body: string },
): void {
  response.writeHead(answer.status, {
    "content-type": answer.type,
    connection: "close",
  });
  response.end(answer.body);
}

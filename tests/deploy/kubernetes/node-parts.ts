/** Starts the parts of a node as child processes, each with a log file in the node's folder. */
import { request } from "node:https";
import { join } from "node:path";
import { startJanitor, type ServerHandle } from "@postrider/local-stack";
import { startServer } from "../../../packages/local-stack/src/server-process.ts";

/** Starts a part and resolves when it is ready. */
export type StartPart = (part: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly isReady: () => Promise<boolean>;
}) => Promise<void>;

export interface Parts {
  readonly start: StartPart;
  /** Ends the parts, the last one first. */
  stop(): Promise<void>;
}

/** A part may wait for others, on a busy machine. */
const READY_WITHIN_MS = 180_000;
const GRACE_MS = 10_000;

export function createParts(folder: string): Parts {
  const running: ServerHandle[] = [];
  const janitor = startJanitor(null);
  return {
    start: async ({ name, command, args, isReady }) => {
      const server = await startServer({
        name,
        command,
        args,
        isReady,
        env: process.env,
        logFile: join(folder, `${name}.log`),
        hasIpc: false,
        readyTimeoutMs: READY_WITHIN_MS,
        graceMs: GRACE_MS,
        janitor,
      });
      running.push(server);
    },
    stop: async () => {
      for (const server of running.toReversed()) await server.stop();
      await janitor.finish();
    },
  };
}

/** Whether the URL answers with 200. The certificate is not looked at: on the loopback we know who answers. */
export async function answers(url: string): Promise<boolean> {
  if (url.startsWith("http:")) {
    const signal = AbortSignal.timeout(2000);
    return (await fetch(url, { headers: { connection: "close" }, signal })).ok;
  }
  return await new Promise((resolve) => {
    const asked = request(url, {
      rejectUnauthorized: false,
      agent: false,
      timeout: 2000,
    });
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

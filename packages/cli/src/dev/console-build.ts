import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `dev` runs in a checkout only, where the sources of the console are. */
const PROGRAM = fileURLToPath(
  new URL("../../../../scripts/build-console.ts", import.meta.url),
);

export interface ConsoleBuild {
  /** Settles when the pages are there: null, or with why they are not. Never rejects. */
  readonly lack: Promise<string | null>;
  stop(): void;
}

/** Builds the console's pages where their sources have changed since the last time. In a process of its own, because the builder is large. */
export function startConsoleBuild(): ConsoleBuild {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  child.stderr.on("data", (chunk) => (told += String(chunk)));
  const lack = new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => resolve(code === 0 ? null : told.trim()));
  });
  return { lack, stop: () => void child.kill() };
}

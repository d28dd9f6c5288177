/**
 * What of kafkajs 2.2.4 is replaced for every client of this process, and the check that it is the version that was read.
 *
 * kafkajs has had no maintainer since 2023 (docs/kafkajs.md), so what is wrong in it is put right at run time, and only in
 * that very version: another version refuses to start.
 */
import { createRequire } from "node:module";
import { registerCompression } from "./compression.ts";
import { registerFetchDecoder } from "./fetch-response.ts";
import { registerBinding } from "./group-binding.ts";
import { registerRecordBatch } from "./produce-request.ts";

// kafkajs is CommonJS; its inner modules must come from the same registry as its entry.
const load = createRequire(import.meta.url);

const PATCHED_VERSION = "2.2.4";
let isPatched = false;

/** Puts right what is wrong in kafkajs. Safe to call twice. Throws if kafkajs is not the version that was read. */
export function patchKafkajs(): void {
  if (isPatched) return;
  requirePatchedVersion();
  patchRequestQueue();
  registerCompression();
  registerRecordBatch();
  registerFetchDecoder();
  registerBinding(
    load("kafkajs/src/consumer/consumerGroup") as Parameters<
      typeof registerBinding
    >[0],
  );
  isPatched = true;
}

function requirePatchedVersion(): void {
  const { version } = load("kafkajs/package.json") as { version: string };
  if (version !== PATCHED_VERSION)
    throw new Error(
      `kafkajs ${version} is installed, but the patches were written for ${PATCHED_VERSION}. Install that version, or read and adapt kafkajs/patches.`,
    );
}

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
}

/** Without this every connection wakes the process a thousand times a second, for ever (docs/kafkajs.md, "Timers and sockets"). */
function patchRequestQueue(): void {
  const queue = load("kafkajs/src/network/requestQueue") as {
    prototype: RequestQueue;
  };
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0)
      return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), 10),
    );
  };
}

/**
 * kafkajs 2.2.4 keeps what is left behind an answer, copies it together with what comes next, and keeps the whole answer in memory
 * until then. Mostly nothing is left, because our sockets give it whole answers (answer-reader.ts). So here it forgets nothing.
 */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that the patched class is the one that its clients use.
const load = createRequire(import.meta.url);

interface Connection {
  /** What has come of the next answer, in one or more views. */
  chunks: readonly Buffer[];
  bytesBuffered: number;
  processData(bytes: Buffer): void;
}

/** Installs the patch for every client of this process. Call once (patch-kafkajs.ts). */
export function registerWholeAnswers(): void {
  const { prototype: connection } = load("kafkajs/src/network/connection") as {
    prototype: Connection;
  };
  const { processData } = connection;
  connection.processData = function (this: Connection, bytes) {
    processData.call(this, bytes);
    if (this.bytesBuffered === 0) this.chunks = [];
  };
}

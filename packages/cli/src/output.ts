/** Standard output, written so that what cannot be written is an error: a disk that is full must not look like success. */
import { fstatSync, writeSync } from "node:fs";
import { CliError, EXIT, reasonOf } from "./cli-error.ts";

/**
 * Writes to standard output. A pipe, a socket or a terminal is written by its stream, whose errors `main.ts` listens for.
 * Anything else (a file, /dev/full) is written here and now to its last byte: Node's own stream takes a write that stored
 * only a part of the text for a whole one. Throws `CliError`.
 */
export function writeOutput(text: string): void {
  if (isStream()) {
    process.stdout.write(text);
    return;
  }
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length;)
      at += writeSync(process.stdout.fd, bytes, at);
  } catch (error) {
    throw notWritten(error);
  }
}

export function notWritten(error: unknown): CliError {
  return new CliError(EXIT.failed, "The output cannot be written.", {
    why: `${reasonOf(error)}. What was written is not the whole.`,
  });
}

let isStreamKnown: boolean | undefined;

function isStream(): boolean {
  if (isStreamKnown === undefined) {
    const stat = fstatSync(process.stdout.fd);
    isStreamKnown = process.stdout.isTTY || stat.isFIFO() || stat.isSocket();
  }
  return isStreamKnown;
}

/** Standard output. A failed write is an error: a full disk must not look like success. */
import { fstatSync, writeSync } from "node:fs";
import { CliError, EXIT, reasonOf } from "./cli-error.ts";

/**
 * Writes to standard output. To a pipe, a socket or a terminal it writes through the stream, whose errors `main.ts` handles.
 * To anything else (a file, /dev/full) it writes synchronously until the last byte is stored, because Node's own stream takes
 * a write that stored only a part of the text for a complete one. Throws `CliError`.
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

/**
 * Append-only ledgers: what a publisher and a receiver saw, whatever becomes of them.
 *
 * Each entry is one line, handed to the kernel before `write` returns, so that a kill of the writer loses no entry. A kill
 * within a write can leave part of a line at the end, which a reader leaves out.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** An event that the broker, or the door, acknowledged. */
export interface PublishedEntry {
  readonly kind: "published";
  readonly tenantId: string;
  readonly eventId: string;
  /** Of the payload's bytes: `bodyHash`. */
  readonly bodyHash: string;
  readonly at: number;
  readonly monotonicMs: number;
}

/** A request that a receiver read to its end, written before it is answered. */
export interface ReceivedEntry {
  readonly kind: "received";
  readonly webhookId: string;
  readonly webhookTimestamp: string;
  readonly bodyHash: string;
  readonly at: number;
  readonly monotonicMs: number;
}

export type LedgerEntry = PublishedEntry | ReceivedEntry;

type Unstamped<Entry> = Entry extends LedgerEntry
  ? Omit<Entry, "at" | "monotonicMs">
  : never;

export interface Ledger {
  /** Stamps the entry with both clocks. */
  write(entry: Unstamped<LedgerEntry>): void;
  close(): void;
}

export function openLedger(file: string): Ledger {
  const descriptor = openSync(file, "a", 0o600);
  return {
    write(entry) {
      const stamped = {
        ...entry,
        at: Date.now(),
        monotonicMs: performance.now(),
      };
      writeSync(descriptor, `${JSON.stringify(stamped)}\n`);
    },
    close: () => closeSync(descriptor),
  };
}

/** Its whole lines, in the order of writing. */
export function readLedger(file: string): LedgerEntry[] {
  const lines = readFileSync(file, "utf8").split("\n");
  lines.pop(); // what follows the last line's end: nothing, or a write that a kill cut
  return lines.map((line) => JSON.parse(line) as LedgerEntry); // written by `write`
}

export function bodyHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/**
 * Append-only ledgers: what a publisher, a receiver and a runner saw, whatever becomes of them.
 *
 * Each entry is one line, handed to the kernel before `write` returns, so that a kill of the writer loses no entry. A kill
 * within a write can leave part of a line at the end, which a reader leaves out.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";

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
  /** The signature fits these very bytes. */
  readonly isSigned: boolean;
  readonly at: number;
  readonly monotonicMs: number;
}

/** The deliver runner finished a record of `deliveries`; written by the dispatcher (POSTRIDER_RUNNER_LEDGER). */
export interface CompletedEntry {
  readonly kind: "completed";
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** All up to here was done with it: it stood for a batch that could not be read. */
  readonly lastOffset?: number;
  readonly pid: number;
  readonly at: number;
  readonly monotonicMs: number;
}

/** The group stored this for the partition, as the dispatcher heard it. */
export interface CommittedEntry extends Omit<
  CompletedEntry,
  "kind" | "lastOffset"
> {
  readonly kind: "committed";
  readonly metadata: string;
}

export type RunnerEntry = CompletedEntry | CommittedEntry;
export type LedgerEntry = PublishedEntry | ReceivedEntry | RunnerEntry;

type Unstamped<Entry> = Entry extends PublishedEntry | ReceivedEntry
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

/** The entries of one kind, of a file that may not be there: nobody has written yet. */
export function readEntries<Kind extends LedgerEntry["kind"]>(
  file: string,
  ...kinds: readonly Kind[]
): Extract<LedgerEntry, { kind: Kind }>[] {
  if (!existsSync(file)) return [];
  return readLedger(file).filter(
    (entry): entry is Extract<LedgerEntry, { kind: Kind }> =>
      (kinds as readonly string[]).includes(entry.kind),
  );
}

export function bodyHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

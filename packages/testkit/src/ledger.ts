/**
 * Append-only ledgers of what a publisher, a receiver and a runner saw. They survive the death of their writers.
 *
 * Each entry is one line, handed to the kernel before `write` returns, so killing the writer loses no entry. A kill during a
 * write can leave an incomplete last line, which readers leave out.
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
  /** `bodyHash` of the payload's bytes. */
  readonly bodyHash: string;
  readonly at: number;
  readonly monotonicMs: number;
}

/** A request that a receiver read completely. The entry is written before the answer is sent. */
export interface ReceivedEntry {
  readonly kind: "received";
  readonly webhookId: string;
  readonly webhookTimestamp: string;
  readonly bodyHash: string;
  /** The signature is valid for exactly these bytes. */
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
  /** Every offset up to this one is done: the record stood for a batch that could not be read. */
  readonly lastOffset?: number;
  readonly pid: number;
  readonly at: number;
  readonly monotonicMs: number;
}

/** The group stored this commit for the partition: the dispatcher got the acknowledgement. */
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
  /** Adds the times of both clocks to the entry and writes it. */
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

/** The complete lines of a ledger, in the order of writing. */
export function readLedger(file: string): LedgerEntry[] {
  const lines = readFileSync(file, "utf8").split("\n");
  lines.pop(); // after the last line end there is nothing, or a write that a kill cut off
  return lines.map((line) => JSON.parse(line) as LedgerEntry); // written by `write`
}

/** The entries of one kind; none if the file does not exist because nothing was written yet. */
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

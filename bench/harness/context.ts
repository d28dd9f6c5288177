/** What every bench is given, and what it gives back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DataPlace } from "./data-folder.ts";

export interface BenchContext {
  /** Fewer records and pairs: at most two minutes. */
  readonly isShort: boolean;
  /** Profile the subject into this folder, where the bench can. */
  readonly profileInto: string | null;
  /** Of the servers. */
  readonly dataIn: DataPlace;
  /** Progress, on stderr. */
  readonly say: (text: string) => void;
  /** For logs and records of this run; removed at its end. */
  readonly folder: string;
  /** What ends the run's servers and processes; run in reverse order at its end, however it ends. */
  readonly undo: (() => Promise<void> | void)[];
}

/** A row of the printed table: a name, the value, its unit. */
export type Figures = Readonly<Record<string, number>>;

/** The part of the result line that a bench knows. Keys of figures carry their unit. */
export interface BenchResult {
  readonly bench: string;
  readonly figures: Figures;
  readonly baseline: Figures;
  /** Subject ÷ baseline; null where the bench has no baseline. */
  readonly ratio: number | null;
  /** As a sentence: `ratio >= 0.55`. */
  readonly target: string;
  readonly pass: boolean;
  readonly pairs: number;
  /** Of the per-pair ratios: the smallest and the largest. */
  readonly spread: readonly [number, number] | null;
}

export type Bench = (context: BenchContext) => Promise<BenchResult>;

export function createContext(
  flags: Pick<BenchContext, "isShort" | "profileInto" | "dataIn">,
): BenchContext {
  const folder = mkdtempSync(join(tmpdir(), "postrider-bench-"));
  return {
    ...flags,
    folder,
    say: (text) => void process.stderr.write(`${text}\n`),
    undo: [() => rmSync(folder, { recursive: true, force: true })],
  };
}

/** Runs what there is to undo, last first; each once. */
export async function undoAll({ undo, say }: BenchContext): Promise<void> {
  for (let next = undo.pop(); next !== undefined; next = undo.pop()) {
    try {
      await next();
    } catch (error) {
      say(`while cleaning up: ${String(error)}`);
    }
  }
}

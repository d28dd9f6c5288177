/** What every bench receives, and what it returns. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DataPlace } from "./data-folder.ts";

export interface BenchContext {
  /** Fewer records and pairs: at most two minutes. */
  readonly isShort: boolean;
  /** The folder for a profile of the subject, if the bench can make one. */
  readonly profileInto: string | null;
  /** Where the servers keep their data. */
  readonly dataIn: DataPlace;
  /** Prints progress on stderr. */
  readonly say: (text: string) => void;
  /** A folder for logs and records of this run; removed at the end. */
  readonly folder: string;
  /** The steps that end the run's servers and processes. They run in reverse order at the end, whether the run succeeded or not. */
  readonly undo: (() => Promise<void> | void)[];
}

/** A row of the printed table: a name, the value, its unit. */
export type Figures = Readonly<Record<string, number>>;

/** The part of the result line that the bench fills. Names of figures carry their unit. */
export interface BenchResult {
  readonly bench: string;
  readonly figures: Figures;
  readonly baseline: Figures;
  /** Subject ÷ baseline; null where the bench has no baseline. */
  readonly ratio: number | null;
  /** The target as a sentence: `ratio >= 0.55`. */
  readonly target: string;
  readonly pass: boolean;
  readonly pairs: number;
  /** The smallest and the largest of the per-pair ratios. */
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

/** Runs each step of `undo` once, in reverse order. */
export async function undoAll({ undo, say }: BenchContext): Promise<void> {
  for (let next = undo.pop(); next !== undefined; next = undo.pop()) {
    try {
      await next();
    } catch (error) {
      say(`while cleaning up: ${String(error)}`);
    }
  }
}

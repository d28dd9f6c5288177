/** The result line, its entry in results/NAME.jsonl, and the table for people. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KAFKA_VERSION } from "@postrider/local-stack";
import type { BenchContext, BenchResult, Figures } from "./context.ts";
import type { DataPlace } from "./data-folder.ts";

const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));

export interface ReportedResult extends BenchResult {
  readonly commit: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly short: boolean;
  /** Where the servers kept their data. */
  readonly dataIn: DataPlace;
  readonly at: string;
}

export function reportOf(
  result: BenchResult,
  { isShort, dataIn }: Pick<BenchContext, "isShort" | "dataIn">,
): ReportedResult {
  return {
    ...result,
    commit: commit(),
    machine: machine(),
    versions: versions(),
    short: isShort,
    dataIn,
    at: new Date().toISOString(),
  };
}

export function appendResult(report: ReportedResult): void {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${report.bench}.jsonl`);
  appendFileSync(file, `${JSON.stringify(report)}\n`);
}

/** The last result of another bench on this machine, with its data in the same kind of place. A full result is preferred to a short one; null when there is none. */
export function lastResult(
  bench: string,
  dataIn: DataPlace,
): ReportedResult | null {
  let lines: string[];
  try {
    lines = readFileSync(join(RESULTS, `${bench}.jsonl`), "utf8").split("\n");
  } catch {
    return null;
  }
  const here = machine();
  const results = lines
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ReportedResult) // written by `appendResult`
    .filter((one) => one.machine === here && one.dataIn === dataIn);
  return results.findLast(({ short }) => !short) ?? results.at(-1) ?? null;
}

/** One line: what was measured, compared with what, and whether it reaches the target. */
export function sentenceOf(report: ReportedResult): string {
  const { bench, ratio, spread, pairs, target, pass, dataIn } = report;
  const compared =
    ratio === null
      ? ""
      : ` ${ratio} of the baseline${spread === null ? "" : ` (${spread.join("–")}, ${pairs} pairs)`};`;
  return `${bench}:${compared} target ${target}: ${pass ? "met" : "MISSED"} (servers' data in ${dataIn})`;
}

export function tableOf({ figures, baseline }: BenchResult): string {
  const rows = [
    ...rowsOf("", figures),
    ...rowsOf("baseline ", baseline),
  ] as const;
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
    .join("\n");
}

function rowsOf(prefix: string, figures: Figures): [string, string][] {
  return Object.entries(figures).map(([name, value]) => [
    `${prefix}${name}`,
    value.toLocaleString("en"),
  ]);
}

/** The commit that is checked out, with a `+` if tracked files differ from it. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { encoding: "utf8" }).trim();
  const differs = git("status", "--porcelain", "--untracked-files=no") !== "";
  return git("rev-parse", "--short", "HEAD") + (differs ? "+" : "");
}

/** The number and the model of the processors, from lscpu. */
function machine(): string {
  const text = execFileSync("lscpu", {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  const field = (name: string): string =>
    new RegExp(`^${name}: +(.+)$`, "m").exec(text)?.[1] ?? "unknown";
  return `${field("CPU\\(s\\)")} × ${field("Model name")}`;
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const of = (name: string): string =>
    (require(`${name}/package.json`) as { version: string }).version; // every package.json has a version
  return {
    node: process.versions.node,
    undici: of("undici"),
    kafkajs: of("kafkajs"),
    kafka: KAFKA_VERSION,
  };
}

/**
 * `npm run faults -- [--short] [--seed N] [--only NAME,…] [--times N] [--older FOLDER]`: runs the cases one after the other against a stack of its
 * own, `times` times with consecutive seeds, and ends with `N passed, N failed`. For a case that fails it prints what was
 * violated, where the ledgers and logs are, and the command that repeats the case.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startStack, type Stack } from "@postrider/local-stack";
import { seededRandom } from "@postrider/testkit";
import type { FaultCase } from "./case.ts";
import { CASES } from "./cases/index.ts";
import { World, type Verdict } from "./world.ts";

export const USAGE = `npm run faults -- [--short] [--seed N] [--only NAME,NAME] [--times N] [--older FOLDER]
--older: a bundle, or a checkout with its dependencies, of the version from which rolling-upgrade goes to a bundle of this checkout and back; by default this checkout
cases: ${CASES.map(({ name }) => name).join(", ")}`;

const VIOLATIONS_SHOWN = 12;

interface Options {
  readonly seed: number;
  readonly isShort: boolean;
  readonly folder: string;
  readonly older: string | undefined;
}

export async function runFaults(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: "boolean", default: false },
      seed: { type: "string" },
      only: { type: "string" },
      times: { type: "string", default: "1" },
      older: { type: "string" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isSafeInteger(seed))
    throw new Error(`--seed ${values.seed} is no whole number`);
  const cases = chosen(values.only, values.short);
  const folder = mkdtempSync(join(tmpdir(), "postrider-faults-"));
  const { short: isShort, older } = values;
  const options: Options = { seed, isShort, folder, older };
  const stacks = new Stacks();
  let passed = 0;
  let run = 0;
  try {
    console.log(`${cases.length} cases, seed ${seed}`);
    for (const more of Array.from({ length: Number(values.times) }).keys())
      for (const one of cases) {
        const seeded = { ...options, seed: seed + more };
        const stack = await stacks.of(one);
        if (await runCase(one, run++, stack, seeded)) passed += 1;
      }
  } finally {
    await stacks.stop();
  }
  const failed = run - passed;
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

/** Holds the stack of the running case. There is one stack at a time; consecutive cases that need the same servers share it. */
class Stacks {
  #stack: Stack | null = null;

  async of({ brokers = 1, hasRegistry = false }: FaultCase): Promise<Stack> {
    const now = this.#stack;
    if (
      now?.kafka.servers.length === brokers &&
      (now.schemaRegistry !== null) === hasRegistry
    )
      return now;
    await this.stop();
    return (this.#stack = await startStack({
      provider: "local",
      brokers,
      registry: hasRegistry,
    }));
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
    this.#stack = null;
  }
}

function chosen(only: string | undefined, isShort: boolean): FaultCase[] {
  if (only === undefined)
    return CASES.filter(({ isLong }) => !(isShort && isLong));
  const names = only.split(",");
  for (const name of names)
    if (!CASES.some((one) => one.name === name))
      throw new Error(
        `there is no case ${name}; there are: ${CASES.map((one) => one.name).join(", ")}`,
      );
  return CASES.filter(({ name }) => names.includes(name));
}

async function runCase(
  one: FaultCase,
  index: number,
  stack: Stack,
  options: Options,
): Promise<boolean> {
  const { seed, isShort, older } = options;
  const folder = join(options.folder, `${one.name}-${index}`);
  const startedAt = performance.now();
  const world = new World({
    stack,
    prefix: `f${index}.`,
    database: `postrider_f${index}`,
    folder,
    random: seededRandom(seed, one.name),
    isShort,
    older,
    blackholeTimeoutMs: one.blackholeTimeoutMs,
  });
  let verdict: Verdict | null = null;
  let fault: unknown = null;
  try {
    await world.prepare();
    await one.run(world, seededRandom(seed, `${one.name} run`));
    verdict = await world.judge();
  } catch (error) {
    fault = error;
  }
  const isPassed = verdict !== null && verdict.violations.length === 0;
  await world.close(!isPassed);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const facts = Object.entries(verdict?.facts ?? {})
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
  console.log(
    `${isPassed ? "ok    " : "FAILED"} ${one.name} (${seconds} s) ${facts}`,
  );
  if (isPassed) return true;
  if (fault !== null) console.log(fault);
  for (const violation of verdict?.violations.slice(0, VIOLATIONS_SHOWN) ?? [])
    console.log(
      `       ${violation.invariant}: ${violation.subject}: ${violation.detail}`,
    );
  const more = (verdict?.violations.length ?? 0) - VIOLATIONS_SHOWN;
  if (more > 0) console.log(`       and ${more} more`);
  console.log(`       ledgers and logs: ${folder}`);
  console.log(
    `       again: npm run faults -- --seed ${seed} --only ${one.name}${isShort ? " --short" : ""}${older === undefined ? "" : ` --older ${older}`}`,
  );
  return false;
}

/**
 * Feeds broken input to a decoder, and finds what crashes, hangs or fills the memory. The input is made of sound input by small
 * changes, because most random bytes are refused at the first one. Every run feeds the same input, so that a run fails because of a
 * change and never by chance. `POSTRIDER_FUZZ_SEED=random POSTRIDER_FUZZ_INPUTS=50000` looks for what nobody has found yet; what a
 * failed run says is enough to repeat it.
 */
import { randomInt } from "node:crypto";
import { seededRandom, type Random } from "./seeded-random.ts";

export interface FuzzOptions<Input> {
  /** What is fed. With the seed it decides about the input. */
  readonly name: string;
  readonly make: (random: Random) => Input;
  /** Throws, or rejects, if it finds something wrong. The same input may be fed again. */
  readonly feed: (input: Input) => unknown;
  /** Default 500: a fraction of a second, so that the tests of all decoders together stay short. */
  readonly inputs?: number;
  /**
   * The most CPU that one input may cost, as a multiple of `yardstick`, so that a slow machine changes nothing. Default 100, about a
   * second: a thousand times what a usual input costs.
   */
  readonly mostYardsticks?: number;
  /** How much memory may be taken by one input, whether or not it is given back. Default 256 MiB. */
  readonly mostBytes?: number;
}

const MIB = 1 << 20;
const DEFAULT_SEED = 1;
const DEFAULT_INPUTS = 500;

/** Resolves to how many inputs were fed. Rejects at the first that throws, or costs too much, with the seed and the input. */
export async function fuzz<Input>(
  options: FuzzOptions<Input>,
): Promise<number> {
  const { name, make, feed, mostYardsticks = 100 } = options;
  const { mostBytes = 256 * MIB, inputs = DEFAULT_INPUTS } = options;
  const seed = seedOf(process.env["POSTRIDER_FUZZ_SEED"]);
  const most = wholeNumber("POSTRIDER_FUZZ_INPUTS") ?? inputs;
  const random = seededRandom(seed, name);
  await cpuMsOf(yardstick); // compiles it
  for (let count = 1; count <= most; count++) {
    const input = make(random);
    const failed = (why: string, cause?: unknown): Error =>
      new Error(
        `${name}: ${why}; the last of POSTRIDER_FUZZ_SEED=${seed} POSTRIDER_FUZZ_INPUTS=${count}: ${shown(input)}`,
        { cause },
      );
    try {
      const { yardsticks, bytes } = await costOf(() => feed(input), {
        mostYardsticks,
        mostBytes,
      });
      if (yardsticks > mostYardsticks)
        throw new Error(`CPU of ${Math.round(yardsticks)} yardsticks`);
      if (bytes > mostBytes) throw new Error(`${Math.round(bytes / MIB)} MiB`);
    } catch (error) {
      throw failed(
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }
  return most;
}

interface Cost {
  readonly yardsticks: number;
  readonly bytes: number;
}

const TRIES = 3;

/** No yardstick takes less, on any machine: what costs less than so many of these is cheap enough, and nothing is compared. */
const LEAST_YARDSTICK_MS = 1;

/**
 * What it costs. CPU and memory are those of the whole process, in which the compiler, the garbage collector or what an earlier test
 * has left may be at work. So what seems too dear is done again, and the least of each counts: a decoder's own cost comes every time.
 */
async function costOf(
  work: () => unknown,
  most: { mostYardsticks: number; mostBytes: number },
): Promise<Cost> {
  let least: Cost = { yardsticks: Infinity, bytes: Infinity };
  for (let tries = 0; tries < TRIES; tries++) {
    const before = memoryBytes();
    const cpuMs = await cpuMsOf(work);
    const bytes = memoryBytes() - before;
    const cheap = cpuMs <= most.mostYardsticks * LEAST_YARDSTICK_MS;
    const yardsticks = cheap ? 0 : cpuMs / (await cpuMsOf(yardstick));
    least = {
      yardsticks: Math.min(least.yardsticks, yardsticks),
      bytes: Math.min(least.bytes, bytes),
    };
    if (
      least.yardsticks <= most.mostYardsticks &&
      least.bytes <= most.mostBytes
    )
      break;
  }
  return least;
}

async function cpuMsOf(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

const YARDSTICK = JSON.stringify(
  Array.from({ length: 10_000 }, (_, id) => ({ id, name: `name ${id}` })),
);

/** A fixed piece of work such as decoders do, about 10 ms of CPU. */
export function yardstick(): void {
  const read: unknown = JSON.parse(YARDSTICK);
  if (JSON.stringify(read) !== YARDSTICK) throw new Error("JSON is broken");
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function seedOf(text: string | undefined): number {
  if (text === "random") return randomInt(2 ** 31);
  return wholeNumber("POSTRIDER_FUZZ_SEED") ?? DEFAULT_SEED;
}

function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,10}$/.test(text))
    throw new Error(`${variable} must be a whole number, not ${text}`);
  return Number(text);
}

const MOST_SHOWN_CHARS = 4_000;

function shown(input: unknown): string {
  const text =
    input instanceof Uint8Array
      ? `base64 ${Buffer.from(input).toString("base64")}`
      : (JSON.stringify(input, (_, value: unknown) =>
          value instanceof Uint8Array
            ? Buffer.from(value).toString("base64")
            : value,
        ) ?? String(input));
  return text.slice(0, MOST_SHOWN_CHARS);
}

/**
 * Feeds broken input to a decoder for a bounded time, and finds what crashes, hangs or fills the memory. The input is made of sound
 * input by small changes, because most random bytes are refused at the first one. Every run draws another seed; what a failed run
 * says is enough to repeat it: `POSTRIDER_FUZZ_SEED=… npm test -- FILE`. With `POSTRIDER_FUZZ_MS=60000` each decoder is fed for a minute.
 */
import { randomInt } from "node:crypto";
import { seededRandom, type Random } from "./seeded-random.ts";

export interface FuzzOptions<Input> {
  /** What is fed. With the seed it decides about the input. */
  readonly name: string;
  readonly make: (random: Random) => Input;
  /** Throws, or rejects, if it finds something wrong. */
  readonly feed: (input: Input) => unknown;
  /** Default 500 ms, so that the tests of all decoders together stay short. */
  readonly forMs?: number;
  /** The most that one input may cost. Default 1 s of CPU, a thousand times what a usual one costs. */
  readonly mostCpuMs?: number;
  /** How much memory may be taken by one input, whether or not it is given back. Default 256 MiB. */
  readonly mostBytes?: number;
}

const MIB = 1 << 20;
/** A machine that is busy with other work feeds so many all the same. */
const LEAST_INPUTS = 50;

/** Resolves to how many inputs were fed. Rejects at the first that throws, or costs too much, with the seed and the input. */
export async function fuzz<Input>(
  options: FuzzOptions<Input>,
): Promise<number> {
  const { name, make, feed } = options;
  const forMs = Number(
    process.env["POSTRIDER_FUZZ_MS"] ?? options.forMs ?? 500,
  );
  const { mostCpuMs = 1_000, mostBytes = 256 * MIB } = options;
  const seed = Number(process.env["POSTRIDER_FUZZ_SEED"] ?? randomInt(2 ** 31));
  const random = seededRandom(seed, name);
  const end = performance.now() + forMs;
  let count = 0;
  for (; count < LEAST_INPUTS || performance.now() < end; count++) {
    const input = make(random);
    const failed = (why: string, cause?: unknown): Error =>
      new Error(
        `${name}: ${why}; input ${count} of POSTRIDER_FUZZ_SEED=${seed}: ${shown(input)}`,
        { cause },
      );
    const cpu = process.cpuUsage();
    const before = memoryBytes();
    try {
      await feed(input);
    } catch (error) {
      throw failed(
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1_000;
    if (cpuMs > mostCpuMs) throw failed(`${Math.round(cpuMs)} ms of CPU`);
    const taken = memoryBytes() - before;
    if (taken > mostBytes) throw failed(`${Math.round(taken / MIB)} MiB`);
  }
  return count;
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
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

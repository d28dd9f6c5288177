/** Runs the raw signed dispatch loop against the sink and checks the requests that came. */
import { checkedReport } from "./checks.ts";
import { BODY_BYTES, CONNECTIONS, SECRET } from "./load.ts";
import { measureDrain, type Drained } from "./measure-drain.ts";
import { programOf, startPinned, type Cores } from "./processes.ts";
import { sinkLimit } from "./sink-limit.ts";
import type { Sink } from "./sink.ts";
import { soundLoop } from "./sound-loop.ts";
import { median } from "./statistics.ts";

/** Short bare loops after a measurement that seems disturbed; their median counts. */
const BARE_LOOPS = 3;

interface Loop {
  readonly count: number;
  readonly prefix: string;
  readonly cores: Cores;
  /** Default: those of all other loads. */
  readonly bodyBytes?: number;
}

export async function rawSignedLoop(
  sink: Sink,
  given: Loop & {
    /** The answers per second that the sink gives to a bare loop (`sinkLimit`), which shows how fast the machine is today. */
    readonly limit: number;
  },
): Promise<Drained> {
  return await soundLoop(async (nth) => {
    const limit = nth === 1 ? given.limit : await limitNow(sink, given.cores);
    const result = await signedLoop(sink, given);
    const micros = 1e6 / result.perCpuSecond;
    return { result, micros, bareMicros: 1e6 / limit };
  });
}

async function limitNow(sink: Sink, cores: Cores): Promise<number> {
  const limits: number[] = [];
  for (let loop = 0; loop < BARE_LOOPS; loop++)
    limits.push(await sinkLimit(sink, cores));
  return median(limits);
}

/** One measurement, which other work on the machine may have disturbed. */
export async function signedLoop(
  sink: Sink,
  { count, prefix, cores, bodyBytes = BODY_BYTES }: Loop,
): Promise<Drained> {
  await sink.reset();
  const args = [sink.url, SECRET, bodyBytes, count, CONNECTIONS, prefix];
  const loop = startPinned({
    name: "raw-signed-dispatch",
    cores,
    main: programOf("baselines/raw-signed-dispatch.ts"),
    args: args.map(String),
  });
  const window = await measureDrain(sink, loop.pid, count);
  await loop.stop();
  const ids = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  await checkedReport(sink, new Set(ids));
  return window;
}

/** Runs the raw signed dispatch loop against the sink and checks the requests that came. */
import { checkIds, checkSignatures } from "./checks.ts";
import { BODY_BYTES, CONNECTIONS, SECRET } from "./load.ts";
import { measureDrain, type Drained } from "./measure-drain.ts";
import { programOf, startPinned, type Cores } from "./processes.ts";
import type { Sink } from "./sink.ts";

/**
 * The most CPU that a request of the loop may cost, as a multiple of a bare, pipelined request; 1.4 to 2.4 is usual. More means
 * that the baseline is broken, independent of the machine's speed on that day: 40 µs where a bare request takes 12.
 */
const BROKEN_RATIO = 3.3;

export async function rawSignedLoop(
  sink: Sink,
  given: {
    readonly count: number;
    readonly prefix: string;
    readonly cores: Cores;
    /** The answers per second that the sink gives to a bare loop (`sinkLimit`), which shows how fast the machine is today. */
    readonly limit: number;
  },
): Promise<Drained> {
  const { count, prefix, cores, limit } = given;
  await sink.reset();
  const args = [sink.url, SECRET, BODY_BYTES, count, CONNECTIONS, prefix];
  const loop = startPinned({
    name: "raw-signed-dispatch",
    cores,
    main: programOf("baselines/raw-signed-dispatch.ts"),
    args: args.map(String),
  });
  const window = await measureDrain(sink, loop.pid, count);
  await loop.stop();
  const ids = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const report = await sink.report();
  checkIds(report, new Set(ids));
  checkSignatures(report, SECRET);
  const micros = 1e6 / window.perCpuSecond;
  const bareMicros = 1e6 / limit;
  if (micros > BROKEN_RATIO * bareMicros)
    throw new Error(
      `the raw loop needs ${micros.toFixed(1)} µs, a bare request ${bareMicros.toFixed(1)}: it is broken`,
    );
  return window;
}

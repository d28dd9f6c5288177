/** Runs the raw signed dispatch loop against the sink and checks what came. */
import { checkIds, checkSignatures } from "./checks.ts";
import { BODY_BYTES, CONNECTIONS, SECRET } from "./load.ts";
import { measureDrain, type Drained } from "./measure-drain.ts";
import { programOf, startPinned, type Cores } from "./processes.ts";
import type { Sink } from "./sink.ts";

/**
 * A request of the loop may cost as much CPU as this many of a bare, pipelined one take; 1.4 to 2.4 is usual. More means a
 * broken baseline, whatever the speed of the machine on the day: 40 µs where a bare request takes 12.
 */
const BROKEN_RATIO = 3.3;

export async function rawSignedLoop(
  sink: Sink,
  given: {
    readonly count: number;
    readonly prefix: string;
    readonly cores: Cores;
    /** What the sink answers a second to a bare loop (`sinkLimit`): how fast the machine is today. */
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

/** Runs the raw signed dispatch loop against the sink and checks what came. */
import { checkIds, checkSignatures } from "./checks.ts";
import { BODY_BYTES, CONNECTIONS, SECRET } from "./load.ts";
import { measureDrain, type Drained } from "./measure-drain.ts";
import { programOf, startPinned, type Cores } from "./processes.ts";
import type { Sink } from "./sink.ts";

/** More CPU than this per request means a broken baseline, µs; 19–21 is usual. */
const BROKEN_MICROS = 40;

export async function rawSignedLoop(
  sink: Sink,
  given: {
    readonly count: number;
    readonly prefix: string;
    readonly cores: Cores;
  },
): Promise<Drained> {
  const { count, prefix, cores } = given;
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
  if (micros > BROKEN_MICROS)
    throw new Error(`the raw loop needs ${micros.toFixed(1)} µs: it is broken`);
  return window;
}

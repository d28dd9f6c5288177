/** Checks that the sink itself was not the limit: a bare load loop must reach 1.5 × the measured rate, or the sink must use under 60 % of its core. */
import { BODY_BYTES, CONNECTIONS } from "./load.ts";
import { messageOf, programOf, startPinned, type Cores } from "./processes.ts";
import type { Sink } from "./sink.ts";

const HEADROOM = 1.5;
const LOW_SHARE = 0.6;
/** Requests under way on each connection; enough that the sink never waits for the loop. */
const DEPTH = 4;

/** The requests per second that the sink answers when it is itself the limit. */
export async function sinkLimit(sink: Sink, cores: Cores): Promise<number> {
  await sink.reset();
  const seconds = 2;
  const args = [sink.url, BODY_BYTES, seconds, CONNECTIONS, DEPTH];
  const loop = startPinned({
    name: "bare-load",
    cores,
    main: programOf("baselines/bare-load.ts"),
    args: args.map(String),
  });
  const { answered } = await messageOf<{ answered: number }>(loop, "done");
  await loop.stop();
  await sink.reset();
  return answered / seconds;
}

/** Throws when the sink may have been the limit of this rate. `sinkShare` is the share of its core that it used. */
export function checkSinkLimit(
  limit: number,
  measured: { readonly perSecond: number; readonly sinkShare: number },
): void {
  const { perSecond, sinkShare } = measured;
  if (perSecond * HEADROOM <= limit || sinkShare < LOW_SHARE) return;
  throw new Error(
    `the sink may be the limit: it takes ${Math.round(limit)}/s from a bare loop, the rate was ${Math.round(perSecond)}/s, and it used ${sinkShare.toFixed(2)} of its core`,
  );
}

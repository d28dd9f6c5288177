/** `npm run bench -- NAME [--short] [--json] [--profile FOLDER]`. Results go to stdout, progress to stderr. */
import { attemptIngest } from "./benches/attempt-ingest.ts";
import { burstDue } from "./benches/burst-due.ts";
import { catchUp } from "./benches/catch-up.ts";
import { console as consoleInBrowser } from "./benches/console.ts";
import { cost } from "./benches/cost.ts";
import { crash } from "./benches/crash.ts";
import { drain } from "./benches/drain.ts";
import { footprint } from "./benches/footprint.ts";
import { hostile } from "./benches/hostile.ts";
import { latency } from "./benches/latency.ts";
import { noisyNeighbour } from "./benches/noisy-neighbour.ts";
import { payloads } from "./benches/payloads.ts";
import { peersCase } from "./benches/peers-case.ts";
import { pipeline } from "./benches/pipeline.ts";
import { publish } from "./benches/publish.ts";
import { queries } from "./benches/queries.ts";
import { replay } from "./benches/replay.ts";
import { retryTiming } from "./benches/retry-timing.ts";
import { route } from "./benches/route.ts";
import { scale } from "./benches/scale.ts";
import { slots } from "./benches/slots.ts";
import { start } from "./benches/start.ts";
import { keepDataInMemory } from "./harness/data-folder.ts";
import { createContext, undoAll, type Bench } from "./harness/context.ts";
import { stopAll } from "./harness/processes.ts";
import {
  appendResult,
  reportOf,
  sentenceOf,
  tableOf,
} from "./harness/report.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  drain,
  pipeline,
  "retry-timing": retryTiming,
  "burst-due": burstDue,
  crash,
  latency,
  footprint,
  slots,
  scale,
  "catch-up": catchUp,
  "noisy-neighbour": noisyNeighbour,
  "peers-case": peersCase,
  hostile,
  start,
  payloads,
  cost,
  queries,
  console: consoleInBrowser,
  "attempt-ingest": attemptIngest,
  replay,
  publish,
  route,
};

const USAGE = `npm run bench -- NAME [--short] [--json] [--profile FOLDER]
Measures Postrider on a Kafka and a ClickHouse of its own (Linux, two cores). What each bench measures: bench/METHOD.md.

  NAME              ${Object.keys(BENCHES).join(", ")}
  --short           two minutes instead of ten, with rougher figures
  --json            the whole result as JSON, as the last line
  --profile FOLDER  CPU profiles of the dispatcher (drain, crash)
`;

const [name = "", ...flags] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if ([name, ...flags].some((flag) => flag === "--help" || flag === "-h"))
  process.stdout.write(USAGE);
else if (bench === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else process.exit(await run(bench));

async function run(chosen: Bench): Promise<number> {
  const isShort = flags.includes("--short");
  const profileAt = flags.indexOf("--profile");
  const profileInto = profileAt === -1 ? null : flags[profileAt + 1]!;
  const dataIn = keepDataInMemory(process.env);
  const context = createContext({ isShort, profileInto, dataIn });
  const interrupted = (): void => {
    context.say("interrupted: stopping what was started");
    void end().then(() => process.exit(130));
  };
  const end = async (): Promise<void> => {
    await stopAll();
    await undoAll(context);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const report = reportOf(await chosen(context), context);
    appendResult(report);
    context.say(tableOf(report));
    context.say(sentenceOf(report));
    const isJson = flags.includes("--json");
    const line = isJson ? JSON.stringify(report) : sentenceOf(report);
    process.stdout.write(`${line}\n`);
    return 0;
  } catch (error) {
    context.say(error instanceof Error ? (error.stack ?? "") : String(error));
    return 1;
  } finally {
    await end();
  }
}

/** The figures of what was done in the console, against the same questions by Node. */
import type { BenchResult, Figures } from "../context.ts";
import {
  compare,
  median,
  percentile,
  rounded,
  type Pair,
} from "../statistics.ts";

const FIRST_ROWS_MS = 1_000;
const CHANGE_MS = 300;
const FIRST_LOAD_KB = 350;

/** A page of the console, each time it was loaded: in the browser, and its questions by Node. */
export interface Loads {
  readonly formMs: readonly number[];
  readonly firstRowsMs: readonly number[];
  readonly allMs: readonly number[];
  readonly byNodeFirstMs: readonly number[];
  readonly byNodeAllMs: readonly number[];
}

export interface Change {
  readonly name: string;
  readonly round: number;
  readonly browserMs: number;
  readonly nodeMs: number;
}

export interface Measured {
  readonly loads: Readonly<Record<"overview" | "deliveries", Loads>>;
  /** In the order in which they were made; those of round 0 are not counted. */
  readonly changes: readonly Change[];
  readonly wireBytes: number;
}

export function consoleResult(
  { loads, changes, wireBytes }: Measured,
  past: Figures,
  say: (text: string) => void,
): BenchResult {
  const counted = changes.filter(({ round }) => round > 0);
  const browser = counted.map(({ browserMs }) => browserMs);
  const node = counted.map(({ nodeMs }) => nodeMs);
  for (const [name, of] of Map.groupBy(counted, (change) => change.name))
    say(
      `${name}: median ${middle(of.map(({ browserMs }) => browserMs))} ms in the browser, ${middle(of.map(({ nodeMs }) => nodeMs))} ms by Node`,
    );
  const { ratio, spread, pairs } = compare(pairsOf(changes));
  const firstLoadKb = wireBytes / 1_000;
  const { overview, deliveries } = loads;
  return {
    bench: "console",
    figures: {
      ...past,
      ...loadFigures("overview", overview),
      ...loadFigures("deliveries", deliveries),
      changes: counted.length,
      changeP50Ms: middle(browser),
      changeP95Ms: rounded(percentile(browser, 95)),
      changeMaxMs: rounded(Math.max(...browser)),
      firstLoadKb: rounded(firstLoadKb),
    },
    baseline: {
      overviewFirstAnswerP50Ms: middle(overview.byNodeFirstMs),
      overviewAllAnswersP50Ms: middle(overview.byNodeAllMs),
      deliveriesAnswerP50Ms: middle(deliveries.byNodeFirstMs),
      answerP50Ms: middle(node),
      answerP95Ms: rounded(percentile(node, 95)),
    },
    ratio: rounded(ratio),
    target: `p95 of the first rows <= ${FIRST_ROWS_MS} ms and of a changed filter <= ${CHANGE_MS} ms, first load <= ${FIRST_LOAD_KB} KB`,
    pass:
      [overview, deliveries].every(
        ({ firstRowsMs }) => percentile(firstRowsMs, 95) <= FIRST_ROWS_MS,
      ) &&
      percentile(browser, 95) <= CHANGE_MS &&
      firstLoadKb <= FIRST_LOAD_KB,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}

/** A pair is a round: the medians of its changes. */
function pairsOf(changes: readonly Change[]): readonly Pair[] {
  return [...Map.groupBy(changes, ({ round }) => round).values()].map((of) => ({
    subject: median(of.map(({ browserMs }) => browserMs)),
    baseline: median(of.map(({ nodeMs }) => nodeMs)),
  }));
}

function loadFigures(name: string, of: Loads): Figures {
  return {
    [`${name}FormP50Ms`]: middle(of.formMs),
    [`${name}FirstRowsP50Ms`]: middle(of.firstRowsMs),
    [`${name}FirstRowsP95Ms`]: rounded(percentile(of.firstRowsMs, 95)),
    [`${name}AllP50Ms`]: middle(of.allMs),
    [`${name}AllP95Ms`]: rounded(percentile(of.allMs, 95)),
  };
}

function middle(values: readonly number[]): number {
  return rounded(median(values));
}

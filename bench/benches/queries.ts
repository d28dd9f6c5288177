/** queries: what control's lists, timelines, charts and saved queries take on a past of thirty days, and how many rows ClickHouse reads for them. */
import { seededRandom } from "@postrider/testkit";
import { ask, type Asked, type Get } from "../harness/asked/ask.ts";
import { startControl, TENANT_USERS } from "../harness/asked/control-api.ts";
import {
  endpointsIn,
  knownOf,
  SCOPES,
  type Known,
} from "../harness/asked/known.ts";
import { listQuestions } from "../harness/asked/list-questions.ts";
import {
  savedQuestions,
  seriesQuestions,
  timelineQuestions,
  type Saved,
} from "../harness/asked/other-questions.ts";
import { readFor } from "../harness/asked/read-for.ts";
import { queriesResult } from "../harness/asked/result.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { countsOf } from "../harness/past/counts.ts";
import { extendPast, fillPast, mergesEnd } from "../harness/past/fill-past.ts";
import { startOwnStack } from "../harness/stack.ts";
import { createTables, DATABASE } from "../harness/subject.ts";

const SEED = 7;
/** How often each question is measured, with parameters drawn anew; once more before, which is not counted. */
const DRAWS = { full: 2, short: 1 } as const;

const SIZE = {
  full: { attempts: 20_000_000, tenants: 200, endpoints: 20_000 },
  short: { attempts: 2_000_000, tenants: 200, endpoints: 2_000 },
} as const;
const MERGES_WITHIN_MS = { full: 60_000, short: 10_000 } as const;

export async function queries(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const length = isShort ? "short" : "full";
  const stack = await startOwnStack(context, {
    clickhouseUsers: TENANT_USERS,
    clickhouseQueryLog: true,
  });
  await createTables(stack);
  const at = { url: stack.clickhouse.url, database: DATABASE };
  const filling = performance.now();
  const past = await fillPast({
    ...at,
    ...SIZE[length],
    endsAt: Date.now(),
    say,
  });
  const filledS = (performance.now() - filling) / 1000;
  const random = seededRandom(SEED);
  const known = await knownOf(at, random);
  const { get } = await startControl(context, stack, {
    tenants: tenantsOf(known),
    endpoints: await endpointsIn(at),
  });
  const isMerged = await mergesEnd(at.url, MERGES_WITHIN_MS[length]);
  await extendPast(at, past, Date.now());
  say(`filled in ${filledS.toFixed(0)} s; all merged: ${isMerged}`);

  const saved = await savedQueries(get);
  const measured: Asked[] = [];
  for (let draw = 0; draw <= DRAWS[length]; draw++) {
    const questions = SCOPES.flatMap((scope) => [
      ...listQuestions(known, scope, random),
      ...timelineQuestions(known, scope, random),
      ...seriesQuestions(known, scope, random),
      ...savedQuestions(saved, known, scope, random),
    ]);
    const asked: Asked[] = [];
    // The windows that have no target take long, so they are asked once.
    for (const question of questions)
      if (question.group !== "longer" || draw === DRAWS[length])
        asked.push(...(await ask(question, known, get)));
    say(`asked ${asked.length} times in draw ${draw}`);
    if (draw > 0) measured.push(...asked);
  }
  const read = await readFor(at, measured);
  return queriesResult(
    measured.map((one, i) => ({ ...one, ...read[i]! })),
    { ...(await countsOf(at)), filledS },
    say,
  );
}

function tenantsOf({ tenantOf }: Known): readonly string[] {
  return SCOPES.map((scope) => tenantOf[scope]).filter((id) => id !== null);
}

async function savedQueries(get: Get): Promise<readonly Saved[]> {
  const { status, text } = await get("/v1/queries", null);
  if (status !== 200)
    throw new Error(`the saved queries were answered ${status}: ${text}`);
  return (JSON.parse(text) as { readonly queries: readonly Saved[] }).queries; // as saved-query-routes.ts shows them
}

/** console: how long a person waits for rows in a real browser, on a past of 2,000,000 attempts and with cold caches; and how much comes over the wire before. */
import { seededRandom, type Random } from "@postrider/testkit";
import { launchChromium } from "../../tests/console/chromium.ts";
import { buildConsole } from "../../scripts/console-build.ts";
import { startControl, TENANT_USERS } from "../harness/asked/control-api.ts";
import { endpointsIn, knownOf, type Known } from "../harness/asked/known.ts";
import {
  checkDeliveries,
  checkOverview,
} from "../harness/console/checked-rows.ts";
import { coldCaches } from "../harness/console/cold-caches.ts";
import { filterChanges } from "../harness/console/filter-changes.ts";
import type { FirstLoad } from "../harness/console/first-load.ts";
import {
  byNode,
  changedInBrowser,
  loadedCold,
  questionsOf,
  type AskedByNode,
  type Site,
} from "../harness/console/measured.ts";
import {
  consoleResult,
  type Change,
  type Loads,
} from "../harness/console/result.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { countsOf } from "../harness/past/counts.ts";
import { extendPast, fillPast, mergesEnd } from "../harness/past/fill-past.ts";
import { startOwnStack } from "../harness/stack.ts";
import { createTables, DATABASE } from "../harness/subject.ts";

const SEED = 16;
const SIZE = { attempts: 2_000_000, tenants: 200, endpoints: 2_000 } as const;
/** One more before, which is not counted. */
const ROUNDS = { full: 10, short: 3 } as const;
const MERGES_WITHIN_MS = 10_000;

export async function console(context: BenchContext): Promise<BenchResult> {
  const { isShort, say, undo } = context;
  // First of all: without a browser there is nothing to fill a past for.
  const browser = await launchChromium();
  undo.push(() => browser.close());
  await buildConsole();
  const stack = await startOwnStack(context, { clickhouseUsers: TENANT_USERS });
  await createTables(stack);
  const at = { url: stack.clickhouse.url, database: DATABASE };
  const past = await fillPast({ ...at, ...SIZE, endsAt: Date.now(), say });
  const random = seededRandom(SEED);
  const known = await knownOf(at, random);
  const control = await startControl(context, stack, {
    tenants: [],
    endpoints: await endpointsIn(at),
  });
  await mergesEnd(at.url, MERGES_WITHIN_MS);
  await extendPast(at, past, Date.now());
  const site = { ...control, browser, cold: () => coldCaches(at.url) };

  const rounds: Round[] = [];
  for (let number = 0; number <= ROUNDS[isShort ? "short" : "full"]; number++)
    rounds.push(
      await roundOf(site, { number, known, random, last: rounds.at(-1) }),
    );
  const counted = rounds.slice(1);
  return consoleResult(
    {
      loads: {
        overview: loadsOf(counted.map(({ overview }) => overview)),
        deliveries: loadsOf(counted.map(({ deliveries }) => deliveries)),
      },
      changes: rounds.flatMap(({ changes }) => changes),
      wireBytes: Math.max(
        ...rounds.map(({ overview }) => overview.browser.wireBytes),
      ),
    },
    await countsOf(at),
    say,
  );
}

interface Load {
  readonly browser: FirstLoad;
  readonly node: AskedByNode;
}

interface Round {
  readonly overview: Load;
  readonly deliveries: Load;
  readonly changes: readonly Change[];
}

/** Browser and Node go first in turn, from round to round. */
async function roundOf(
  site: Site,
  {
    number,
    known,
    random,
    last,
  }: {
    readonly number: number;
    readonly known: Known;
    readonly random: Random;
    readonly last: Round | undefined;
  },
): Promise<Round> {
  const isBrowserFirst = number % 2 === 0;
  const load = async (fragment: "overview" | "deliveries"): Promise<Load> => {
    const before = last && questionsOf(last[fragment].browser);
    const early = isBrowserFirst ? null : await byNode(site, before ?? []);
    const browser = await loadedCold(site, fragment);
    return {
      browser,
      node: early ?? (await byNode(site, questionsOf(browser))),
    };
  };
  const overview = await load("overview");
  checkOverview(overview.browser);
  await overview.browser.page.context().close();

  const deliveries = await load("deliveries");
  const { page, shown, answers } = deliveries.browser;
  const texts = answers.filter(({ path }) => path.startsWith("/v1/deliveries"));
  checkDeliveries(shown, "deliveries", [
    ...texts.map(({ text }) => text),
    ...deliveries.node.texts,
  ]);
  const changes: Change[] = [];
  for (const change of filterChanges(known, random)) {
    const early = isBrowserFirst ? null : await byNode(site, [change.path]);
    const changed = await changedInBrowser(site, page, change);
    const node = early ?? (await byNode(site, [change.path]));
    checkDeliveries(changed.shown, change.name, node.texts);
    changes.push({
      name: change.name,
      round: number,
      browserMs: changed.ms,
      nodeMs: node.allMs,
    });
  }
  await page.context().close();
  return { overview, deliveries, changes };
}

function loadsOf(loads: readonly Load[]): Loads {
  const each = (of: (load: Load) => number): readonly number[] => loads.map(of);
  return {
    formMs: each(({ browser }) => browser.formMs),
    firstRowsMs: each(({ browser }) => browser.firstRowsMs),
    allMs: each(({ browser }) => browser.allMs),
    byNodeFirstMs: each(({ node }) => node.firstMs),
    byNodeAllMs: each(({ node }) => node.allMs),
  };
}

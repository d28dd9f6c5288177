/** Asks the recorder's program to compare roll-ups with attempts, and to repair them. The types are those of its roll-ups-mode.ts. */
import { runRecorder, type ClickHouseAddress } from "./migrate.ts";

export interface Difference {
  readonly buckets: number;
  /** By column of the roll-up. */
  readonly by: Readonly<Record<string, number>>;
}

export type Verdict =
  | { readonly kind: "equal"; readonly attempts: number }
  | {
      readonly kind: "differs";
      readonly attempts: number;
      readonly counted: number;
      readonly short: Difference;
      readonly over: Difference;
    }
  | { readonly kind: "notJudged"; readonly why: string };

/** A roll-up on a day (UTC, `2026-11-27`). */
export interface RollUpDay {
  readonly day: string;
  readonly table: string;
}

export interface Compared {
  readonly kind: "compared";
  readonly verdicts: readonly (RollUpDay & { readonly verdict: Verdict })[];
  readonly marks: Readonly<Record<string, string>>;
  readonly missing: readonly string[] | null;
}

export type Repair =
  | {
      readonly kind: "repaired";
      readonly before: Verdict;
      readonly after: Verdict;
      readonly dropped: readonly string[];
    }
  | { readonly kind: "nothingToDo"; readonly before: Verdict }
  | { readonly kind: "refused"; readonly why: string };

export interface Repaired {
  readonly kind: "repaired";
  readonly repairs: readonly (RollUpDay & { readonly repair: Repair })[];
}

/** Nothing was looked at. */
export interface Refused {
  readonly kind: "refused";
  readonly why: string;
  readonly next: string | null;
}

/** `day` null: each day of which `attempts` has rows. Changes nothing. Throws `CliError`. */
export async function compareRollUps(
  clickhouse: ClickHouseAddress,
  asked: { readonly day: string | null; readonly isToRepair: boolean },
): Promise<Compared | Refused> {
  const request = { kind: "compare", ...asked };
  return (await ask(clickhouse, request)) as Compared | Refused; // the answer to this request
}

/** Throws `CliError`; then each day is as it was, or repaired. */
export async function repairRollUps(
  clickhouse: ClickHouseAddress,
  asked: {
    readonly days: readonly (RollUpDay & { readonly mark: string })[];
    readonly isForced: boolean;
  },
): Promise<Repaired | Refused> {
  const request = { kind: "repair", ...asked };
  return (await ask(clickhouse, request)) as Repaired | Refused; // the answer to this request
}

async function ask(
  clickhouse: ClickHouseAddress,
  request: object,
): Promise<unknown> {
  const what = `The look at the roll-ups of ${clickhouse.database}`;
  const mode = ["roll-ups", JSON.stringify(request)];
  return JSON.parse(await runRecorder(mode, what, clickhouse, process.env));
}

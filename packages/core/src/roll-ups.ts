/** What `postrider doctor roll-ups` asks the recorder's program, and what it answers: one line of JSON each. */

/** A roll-up of ClickHouse. */
export type RollUpTable = "endpoint_hour" | "tenant_minute";

/** A roll-up on a day of UTC, `2026-11-27`. */
export interface RollUpDay {
  readonly day: string;
  readonly table: RollUpTable;
}

export type RollUpsRequest =
  | {
      readonly kind: "compare";
      /** Null: each day of which `attempts` has rows. */
      readonly day: string | null;
      /** Answers also with the marks of the days that differ, and the grants that are missing. */
      readonly isToRepair: boolean;
    }
  | {
      readonly kind: "repair";
      readonly days: readonly (RollUpDay & { readonly mark: string })[];
      readonly isForced: boolean;
    };

export type RollUpsAnswer =
  | {
      readonly kind: "compared";
      readonly verdicts: readonly (RollUpDay & {
        readonly verdict: RollUpVerdict;
      })[];
      /** By day. */
      readonly marks: Readonly<Record<string, string>>;
      /** The statements that grant what a repair needs and this user lacks; if there are any, nothing was compared. Null: ClickHouse cannot tell. */
      readonly missing: readonly string[] | null;
    }
  | {
      readonly kind: "repaired";
      readonly repairs: readonly (RollUpDay & {
        readonly repair: RollUpRepair;
      })[];
    }
  | {
      /** Nothing was looked at. */
      readonly kind: "refused";
      readonly why: string;
      readonly next: string | null;
    };

/** By how much, and in how many buckets. */
export interface RollUpDifference {
  readonly buckets: number;
  /** By column of the roll-up; what is 0 is left out. */
  readonly by: Readonly<Record<string, number>>;
}

/** `attempts`: how many the day has in `attempts`. `counted`: how many the roll-up says. */
export type RollUpVerdict =
  | { readonly kind: "equal"; readonly attempts: number }
  | {
      readonly kind: "differs";
      readonly attempts: number;
      readonly counted: number;
      /** Buckets that lack something. */
      readonly short: RollUpDifference;
      /** Buckets that count more than `attempts` has. */
      readonly over: RollUpDifference;
    }
  | { readonly kind: "notJudged"; readonly why: string };

/** `refused`: nothing was changed by this run, though another one that takes it over may repair the day. */
export type RollUpRepair =
  | {
      readonly kind: "repaired";
      readonly before: RollUpVerdict;
      readonly after: RollUpVerdict;
      /** Left-over staging tables that were dropped. */
      readonly dropped: readonly string[];
    }
  | { readonly kind: "nothingToDo"; readonly before: RollUpVerdict }
  | { readonly kind: "refused"; readonly why: string };

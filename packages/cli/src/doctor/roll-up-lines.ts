/** What `doctor roll-ups` prints. Pure. */
import {
  counted,
  type RollUpDay,
  type RollUpDifference,
  type RollUpRepair,
  type RollUpVerdict,
} from "@postrider/core";
import { table, type Terminal } from "../terminal.ts";

/** A line for each roll-up of each day. */
export function verdictTable(
  verdicts: readonly (RollUpDay & { readonly verdict: RollUpVerdict })[],
  terminal: Terminal,
): string {
  if (verdicts.length === 0) return "attempts has no rows yet.";
  return table(
    ["day", "roll-up", "against attempts"],
    verdicts.map((one) => [one.day, one.table, verdictText(one.verdict)]),
    terminal,
  );
}

export function verdictText(verdict: RollUpVerdict): string {
  switch (verdict.kind) {
    case "equal":
      return `equal: ${counted(verdict.attempts, "attempt")}`;
    case "notJudged":
      return `cannot be judged: ${verdict.why}`;
    case "differs": {
      const { short, over, attempts } = verdict;
      const texts = [
        ...(short.buckets > 0 ? [differenceText("short", short)] : []),
        ...(over.buckets > 0 ? [differenceText("over", over)] : []),
      ];
      return `${texts.join("; ")} (attempts has ${attempts})`;
    }
  }
}

/** "short by 344 attempts in 12 buckets"; another column is named only where the attempts are equal. */
function differenceText(
  what: "short" | "over",
  { by, buckets }: RollUpDifference,
): string {
  const amount = by["attempts"];
  const where = `in ${counted(buckets, "bucket")}`;
  if (amount !== undefined)
    return `${what} by ${counted(amount, "attempt")} ${where}`;
  const columns = Object.entries(by).map(
    ([column, difference]) => `${difference} of ${column}`,
  );
  return `${what} by ${columns.join(", ") || "the longest attempt"} ${where}`;
}

export function repairText(repair: RollUpRepair): string {
  switch (repair.kind) {
    case "repaired":
      return [
        `repaired: was ${verdictText(repair.before)}, is ${verdictText(repair.after)}`,
        ...repair.dropped.map(
          (name) => `dropped ${name}, left by a run that ended early`,
        ),
      ].join("; ");
    case "nothingToDo":
      return `left as it is: ${verdictText(repair.before)}`;
    case "refused":
      return `not repaired: ${repair.why}`;
  }
}

/** What `--force` takes away, in words; null if nothing. */
export function lossText(
  { day, table: of }: RollUpDay,
  verdict: RollUpVerdict,
): string | null {
  if (verdict.kind !== "differs" || verdict.over.buckets === 0) return null;
  const { by, buckets } = verdict.over;
  const columns = Object.entries(by).map(([column, n]) => `${n} of ${column}`);
  return `--force lowers ${of} on ${day} in ${counted(buckets, "bucket")}, by ${columns.join(", ")}. If these attempts were made and are gone from the table attempts, nothing else knows of them.`;
}

/** `doctor roll-ups`: compares, and repairs what is short. */
import type { RollUpVerdict } from "@postrider/core";
import type { Addresses } from "../addresses.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { withAdmin } from "../kafka.ts";
import {
  compareRollUps,
  repairRollUps,
  type Compared,
  type Refused,
  type Repaired,
} from "../processes/roll-ups.ts";
import { recorderSettled } from "./recorder-settled.ts";

export interface RollUpsOptions {
  /** UTC, `2026-11-27`; null: every day that `attempts` has. */
  readonly day: string | null;
  readonly isToRepair: boolean;
  /** Also lower what counts more than `attempts` has. */
  readonly isForced: boolean;
}

export interface RollUpsReport {
  readonly verdicts: Compared["verdicts"];
  /** Empty where nothing was to be repaired. */
  readonly repairs: Repaired["repairs"];
}

/** `tell` is called with the comparison before anything is changed. Throws `CliError` where nothing can be compared, or the recorder has not done with the day. */
export async function rollUpsReport(
  addresses: Pick<Addresses, "clickhouse" | "kafka">,
  options: RollUpsOptions,
  tell: (verdicts: Compared["verdicts"]) => void,
): Promise<RollUpsReport> {
  const { day, isToRepair, isForced } = options;
  const clickhouse = addresses.clickhouse();
  const compared = unrefused(
    await compareRollUps(clickhouse, { day, isToRepair }),
  );
  if (compared.missing !== null && compared.missing.length > 0)
    throw new CliError(
      EXIT.failed,
      "Nothing was looked at: this user lacks grants in ClickHouse.",
      {
        why: `Missing are:\n${compared.missing.join("\n")}`,
        next: "Grant these (docs/security.md, Grants in ClickHouse), then run this again.",
      },
    );
  const { verdicts, marks } = compared;
  tell(verdicts);
  const toDo = verdicts.filter(({ verdict }) => isToDo(verdict, isForced));
  if (!isToRepair || toDo.length === 0) return { verdicts, repairs: [] };
  const { brokers, prefix } = addresses.kafka();
  // After the marks were read: so every attempt that a mark covers was in the topic before its end was read.
  await withAdmin(brokers, (admin) => recorderSettled(admin, prefix));
  const { repairs } = unrefused(
    await repairRollUps(clickhouse, {
      days: toDo.map((one) => ({
        day: one.day,
        table: one.table,
        mark: marks[one.day] ?? "",
      })),
      isForced,
    }),
  );
  return { verdicts, repairs };
}

/** 0: all are equal by now, or cannot be judged · 1: one differs · 5: a repair was refused, or the one day that was asked for cannot be judged. */
export function exitCodeOf(
  { verdicts, repairs }: RollUpsReport,
  { day, isToRepair }: RollUpsOptions,
): ExitCode {
  if (repairs.some(({ repair }) => repair.kind === "refused"))
    return EXIT.refused;
  const now = verdicts.map((one) => {
    const done = repairs.find(
      ({ day: on, table }) => on === one.day && table === one.table,
    )?.repair;
    if (done?.kind === "repaired") return done.after;
    // Another run may have repaired it between the comparison and the repair.
    return done?.kind === "nothingToDo" ? done.before : one.verdict;
  });
  if (now.some(({ kind }) => kind === "differs")) return EXIT.failed;
  const isRefused = isToRepair && day !== null;
  return isRefused && now.some(({ kind }) => kind === "notJudged")
    ? EXIT.refused
    : EXIT.done;
}

function isToDo(verdict: RollUpVerdict, isForced: boolean): boolean {
  return (
    verdict.kind === "differs" &&
    (verdict.short.buckets > 0 || (isForced && verdict.over.buckets > 0))
  );
}

function unrefused<A extends { readonly kind: string }>(
  answer: A | Refused,
): Exclude<A, Refused> {
  if (answer.kind === "refused") {
    const { why, next } = answer as Refused; // of no other answer is this the kind
    throw new CliError(EXIT.refused, "The roll-ups were not looked at.", {
      why,
      next: next ?? undefined,
    });
  }
  return answer as Exclude<A, Refused>;
}

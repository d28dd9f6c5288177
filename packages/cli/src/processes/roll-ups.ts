/** Asks the recorder's program to compare roll-ups with attempts, and to repair them. */
import type { RollUpsAnswer, RollUpsRequest } from "@postrider/core";
import { runRecorder, type ClickHouseAddress } from "./migrate.ts";

export type Compared = Extract<RollUpsAnswer, { kind: "compared" }>;
export type Repaired = Extract<RollUpsAnswer, { kind: "repaired" }>;
export type Refused = Extract<RollUpsAnswer, { kind: "refused" }>;
type Asked<Kind> = Omit<Extract<RollUpsRequest, { kind: Kind }>, "kind">;

/** `day` null: each day of which `attempts` has rows. Changes nothing. Throws `CliError`. */
export async function compareRollUps(
  clickhouse: ClickHouseAddress,
  asked: Asked<"compare">,
): Promise<Compared | Refused> {
  const request = { kind: "compare", ...asked } as const;
  return (await ask(clickhouse, request)) as Compared | Refused; // the answer to this request
}

/** Throws `CliError`; then each day is as it was, or repaired. */
export async function repairRollUps(
  clickhouse: ClickHouseAddress,
  asked: Asked<"repair">,
): Promise<Repaired | Refused> {
  const request = { kind: "repair", ...asked } as const;
  return (await ask(clickhouse, request)) as Repaired | Refused; // the answer to this request
}

async function ask(
  clickhouse: ClickHouseAddress,
  request: RollUpsRequest,
): Promise<unknown> {
  const what = `The look at the roll-ups of ${clickhouse.database}`;
  const mode = ["roll-ups", JSON.stringify(request)];
  return JSON.parse(await runRecorder(mode, what, clickhouse, process.env));
}

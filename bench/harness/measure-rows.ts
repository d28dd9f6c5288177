/** Measures how a process fills the table `attempts` from a topic that was written before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@postrider/local-stack";
import { rowsOf } from "@postrider/testkit";
import { cpuSecondsByName } from "./proc-stat.ts";

export interface Ingested {
  readonly perSecond: number;
  /** CPU time of the process per row, µs. */
  readonly cpuMicros: number;
  readonly clickhouseMicros: number;
  readonly kafkaMicros: number;
  /** The share of its core that the process used. */
  readonly share: number;
}

/** So seldom that the questions cost ClickHouse less than a hundredth of its core; an insert takes longer. */
const LOOK_EVERY_MS = 50;
const STUCK_MS = 60_000;

/** From the insert with which a tenth of `count` rows is there to that with nine tenths; resolves once all are. */
export async function measureRows(
  { clickhouse, kafka }: Stack,
  given: {
    readonly database: string;
    readonly pid: number;
    readonly count: number;
  },
): Promise<Ingested> {
  const { database, pid, count } = given;
  const pids = new Map([
    ["process", pid],
    ["clickhouse", clickhouse.server?.pid() ?? 0],
    ["kafka", kafka.server?.pid() ?? 0],
  ]);
  const at = async (wanted: number) => {
    const rows = await untilRows(clickhouse.url, database, wanted);
    return { rows, now: performance.now(), cpu: cpuSecondsByName(pids) };
  };
  const from = await at(count * 0.1);
  const to = await at(count * 0.9);
  await untilRows(clickhouse.url, database, count);
  const rows = to.rows - from.rows;
  const seconds = (to.now - from.now) / 1000;
  const cpuSeconds = (name: string): number =>
    to.cpu.get(name)! - from.cpu.get(name)!;
  const micros = (name: string): number => (cpuSeconds(name) * 1e6) / rows;
  return {
    perSecond: rows / seconds,
    cpuMicros: micros("process"),
    clickhouseMicros: micros("clickhouse"),
    kafkaMicros: micros("kafka"),
    share: cpuSeconds("process") / seconds,
  };
}

/** Resolves to the number of rows once it is `wanted` or more. Throws when none comes for a minute. */
async function untilRows(
  url: string,
  database: string,
  wanted: number,
): Promise<number> {
  let last = -1;
  for (let progressAt = performance.now(); ; await sleep(LOOK_EVERY_MS)) {
    const [row] = await rowsOf<{ n: string }>(
      url,
      `SELECT count() AS n FROM ${database}.attempts`,
    );
    const rows = Number(row?.n);
    if (rows >= wanted) return rows;
    if (rows > last) {
      last = rows;
      progressAt = performance.now();
    }
    if (performance.now() - progressAt > STUCK_MS)
      throw new Error(
        `${database}.attempts has ${rows} rows of ${wanted}, and no new one for ${STUCK_MS / 1000} s`,
      );
  }
}

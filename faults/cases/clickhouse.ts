import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  execute,
  startTcpProxy,
  waitFor,
  type TcpProxy,
} from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { signalsMade } from "../checks.ts";
import { SIGNALS } from "../publisher.ts";
import type { World } from "../world.ts";

/** Long enough for every back-off to reach its maximum. */
const DOWN_MS = 120_000;

export const clickhouseKilled: FaultCase = {
  name: "clickhouse-killed",
  proves:
    "kills of ClickHouse in the middle of inserts leave each record in it once, and cost deliveries nothing",
  isLong: true,
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    await world.surviving(async () => {
      const kills = world.isShort ? 3 : 10;
      const load = publishWithSignals(world, 400, kills * 1.5);
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(200, 1_200));
        await world.killClickHouse();
        await sleep(random.between(0, 500));
        await world.clickhouse.restart();
      }
      await load;
      if (world.isShort) return;
      await world.killClickHouse();
      await world.publisher.publish({ perSecond: 200, seconds: 5 });
      await sleep(DOWN_MS);
      await world.clickhouse.restart();
    });
  },
};

export const clickhouseFrozen: FaultCase = {
  name: "clickhouse-frozen",
  proves:
    "a ClickHouse that falls silent for a while gets each record once, and deliveries go on meanwhile",
  isLong: true,
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    await world.surviving(async () => {
      const load = publishWithSignals(world, 400, 4);
      await sleep(random.between(300, 1_000));
      world.clickhouse.freeze();
      await load;
      await sleep(random.between(0, world.isShort ? 1_000 : 70_000));
      world.clickhouse.thaw();
    });
  },
};

export const clickhouseAnswerLost: FaultCase = {
  name: "clickhouse-answer-lost",
  proves:
    "an insert whose answer is lost after ClickHouse took it is not counted twice",
  async run(world, random) {
    await behindProxy(world, async (proxy) => {
      const load = publishWithSignals(world, 300, 5);
      for (let round = 0; round < 5; round++) {
        proxy.loseAnswers("INSERT", random.between(1, 3));
        await sleep(random.between(400, 900));
      }
      await load;
      await world.quiet();
      if (proxy.lost() === 0) throw new Error("no answer was lost");
    });
  },
};

export const clickhouseReadOnly: FaultCase = {
  name: "clickhouse-read-only",
  proves:
    "a ClickHouse that is read-only for a while loses no row, and the recorder reports why it waits",
  isLong: true,
  async run(world) {
    await behindProxy(world, async (proxy) => {
      const recorder = world.services.one("recorder");
      const load = publishWithSignals(world, 300, 5);
      await sleep(1_000);
      proxy.readOnly(true);
      await load;
      await waitFor(
        () => /\b164\b|READONLY/.test(readFileSync(recorder.logFile, "utf8")),
        { what: "the recorder's line about 164 (READONLY)" },
      );
      proxy.readOnly(false);
      await world.quiet();
    });
  },
};

export const clickhouseRefusing: FaultCase = {
  name: "clickhouse-refusing",
  proves:
    "a ClickHouse that has too many parts, or whose table is gone for a while, gets each record once when it takes them again",
  isLong: true,
  async run(world) {
    const { stack, options } = world;
    const sql = (statement: string) =>
      execute(
        stack.clickhouse.url,
        statement.replaceAll("DB", options.database),
      );
    await world.startAll();
    const load = publishWithSignals(world, 300, 7);
    await sleep(1_000);
    await sql(
      "ALTER TABLE DB.attempts MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1",
    );
    await sleep(1_500);
    await sql(
      "ALTER TABLE DB.attempts RESET SETTING parts_to_throw_insert, parts_to_delay_insert",
    );
    await sql("DETACH TABLE DB.events");
    await sleep(1_500);
    await sql("ATTACH TABLE DB.events");
    await load;
  },
};

async function publishWithSignals(
  world: World,
  perSecond: number,
  seconds: number,
): Promise<void> {
  world.also(signalsMade);
  await world.publisher.publish({ perSecond, seconds, rare: SIGNALS });
}

/** Runs with all services, where the recorder reaches ClickHouse through a proxy. The recorder is stopped before the proxy is closed. */
async function behindProxy(
  world: World,
  fault: (proxy: TcpProxy) => Promise<void>,
): Promise<void> {
  const { hostname, port } = new URL(world.stack.clickhouse.url);
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  try {
    await world.startAll({
      recorder: { CLICKHOUSE_URL: `http://127.0.0.1:${proxy.port}` },
    });
    await fault(proxy);
  } finally {
    await world.services.stop(world.services.one("recorder"));
    await proxy.close();
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import {
  rowsOf,
  startReceiver,
  useRegistry,
  useStack,
  waitFor,
} from "@postrider/testkit";

const TIERS = "200ms,500ms,1s";

const stack = useStack();
const { database, clickhouseUrl } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-registry-"));
const tierTopics = parseTiers(TIERS).map(({ topic }) => topic);

const given = useRegistry();
const testWithRegistry = given.isThere ? test : test.skip;

let running: RunningServices | undefined;

afterEach(async () => {
  await running?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

testWithRegistry(
  "with a schema registry every service reads what the others write, and an event ends in ClickHouse",
  async () => {
    await stack.createAllTopics(...tierTopics);
    await migrate({ url: clickhouseUrl, database });
    running = await startServices({
      ...stack.forServices,
      stack: {
        ...stack.forServices.stack,
        schemaRegistry: { url: given.url },
      },
      ...newKeys(),
      adminKey: "admin",
      logDirectory,
      readyTimeoutMs: 120_000,
      env: {
        POSTRIDER_TIERS: TIERS,
        POSTRIDER_SESSION_TIMEOUT: "6s",
        POSTRIDER_ALLOW_HTTP: "true",
        POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      },
    });
    const receiver = await startReceiver({ answer: [500, 200] });
    try {
      const destination = { url: receiver.url, secret: "s3cret" };
      const response = await fetch(`${running.ingestUrl}/v1/events`, {
        method: "POST",
        headers: {
          authorization: "Bearer admin",
          "content-type": "application/json",
        },
        body: JSON.stringify({
          id: "e_1",
          type: "order.paid",
          tenantId: "acme",
          payload: {},
          destination,
        }),
      });
      expect(response.status).toBe(202);

      await receiver.waitForRequests(2);

      const recorded = async () =>
        await rowsOf(
          clickhouseUrl,
          `SELECT (SELECT count() FROM ${database}.events WHERE decision = 'routed') AS events,
             (SELECT count() FROM ${database}.attempts WHERE attempt_number > 0) AS attempts,
             (SELECT groupArray(status) FROM ${database}.delivery_status) AS statuses,
             (SELECT groupArray(detail) FROM ${database}.dead_letters) AS dead_letters`,
        );
      const whole = {
        events: 1,
        attempts: 2,
        statuses: ["delivered"],
        dead_letters: [],
      };
      await waitFor(
        async () =>
          JSON.stringify(await recorded()) === JSON.stringify([whole]),
      ).catch(() => undefined); // on a time-out the expectation below shows what is there instead
      expect(await recorded()).toEqual([whole]);
    } finally {
      await receiver.close();
    }
  },
  300_000,
);

/** Control's way to a ClickHouse with TLS and a password: a proxy that asks for both stands before the real one. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  makeCertificate,
  recordingLog,
  startGuardedProxy,
  useStack,
  waitFor,
  type GuardedProxy,
} from "@postrider/testkit";
import { clickhouseAccess } from "@postrider/runtime";
import { createReader } from "./reads/reader.ts";

const stack = useStack();
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
let proxy: GuardedProxy;
beforeAll(async () => {
  proxy = await startGuardedProxy({ target: stack.clickhouseUrl, certificate });
});
afterAll(async () => await proxy.close());

const basic = (password: string): string =>
  `Basic ${Buffer.from(`control:${password}`).toString("base64")}`;

test("ClickHouse is not reachable with an old password, and is again once the file has the new one", async () => {
  let password = "old";
  proxy.admit(basic("new"));
  const log = recordingLog();
  const config = {
    clickhouseUrl: proxy.url,
    clickhouseUser: "control",
    clickhousePassword: () => password,
    clickhouseTlsCa: () => certificate.cert,
  };
  const reader = createReader({
    ...clickhouseAccess(config, log),
    database: stack.database,
    queryTimeoutMs: 5_000,
    log,
  });

  await reader.start();
  expect(reader.reachability()).toMatchObject({
    isReachable: false,
    detail: expect.stringContaining("516"),
  });

  password = "new";
  const { rows } = await reader.query("SELECT 1", AbortSignal.timeout(5_000));
  expect(rows).toHaveLength(1);
  await waitFor(() => reader.reachability().isReachable);
  await reader.stop(0);
});

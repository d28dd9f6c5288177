/** The five services, started while the schema registry is down: a real Kafka and ClickHouse, and a proxy before a real registry. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  SERVICES,
  startServices,
  type ServiceName,
} from "@postrider/cli";
import { freePorts, type Check } from "@postrider/runtime";
import {
  startHttpFaultProxy,
  useRegistry,
  useStack,
  waitFor,
} from "@postrider/testkit";

const stack = useStack();
const given = useRegistry();
const testWithRegistry = given.isThere ? test : test.skip;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-registry-start-"));

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(logDirectory, { recursive: true, force: true });
}, 180_000);

testWithRegistry(
  "services that start while the registry is down have started, live, are not ready and say why; they begin by themselves once it is there",
  async () => {
    await stack.createAllTopics("retry.1s");
    await migrate({ url: stack.clickhouseUrl, database: stack.database });
    const proxy = await startHttpFaultProxy(given.url, { isGone: true });
    closing.push(() => proxy.close());
    const [ingest = 0, control = 0, ...others] = await freePorts(7);
    const admin = Object.fromEntries(
      SERVICES.map((name, at) => [name, others[at]]),
    ) as Record<ServiceName, number>; // one port for each

    const starting = startServices({
      ...stack.forServices,
      stack: { ...stack.forServices.stack, schemaRegistry: { url: proxy.url } },
      ...newKeys(),
      adminKey: "admin",
      logDirectory,
      ports: { ingest, control, admin },
      readyTimeoutMs: 120_000,
      env: { POSTRIDER_TIERS: "1s" },
    });
    closing.push(() =>
      starting.then(({ stop }) => stop()).catch(() => undefined),
    );
    const ask = async (name: ServiceName, path: string) =>
      await fetch(`http://127.0.0.1:${admin[name]}${path}`);
    const reasonOf = async (name: ServiceName) => {
      const answer = await ask(name, "/readyz");
      const { checks } = (await answer.json()) as { checks: Check[] };
      const found = checks.find((check) => check.name === "schema-registry");
      return found?.detail.includes("ECONNREFUSED") && found.detail;
    };
    const statusesOf = async (name: ServiceName) => {
      const reason = await waitFor(() => reasonOf(name), {
        timeoutMs: 60_000,
        what: `the registry's fault in /readyz of ${name}`,
      });
      const paths = ["/startupz", "/livez", "/readyz"];
      const answers = await Promise.all(paths.map((path) => ask(name, path)));
      return { name, reason, statuses: answers.map(({ status }) => status) };
    };

    const seen = await Promise.all(SERVICES.map(statusesOf));
    await proxy.appear();
    const { services } = await starting;

    expect(seen).toEqual(
      SERVICES.map((name) => ({
        name,
        reason: expect.stringContaining("-value is not registered yet"),
        statuses: [200, 200, 503],
      })),
    );
    expect(services.filter((service) => service.hasExited())).toEqual([]);
  },
  300_000,
);

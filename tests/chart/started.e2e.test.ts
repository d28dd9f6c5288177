/** What the chart says is what services accept: its Jobs, its services and its test are started as processes from the image's bundle, with the arguments, the variables, the mounted files and the probes that helm renders. With passwords and TLS: tests/secured-kafka.e2e.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { newKeys } from "@postrider/cli";
import { useStack, waitFor } from "@postrider/testkit";
import { podsOf, render, type Pods } from "./render.ts";
import { StartedPods } from "./started-pods.ts";
import { helm, note, testWithHelm } from "./with-helm.ts";

const stack = useStack();
const folder = mkdtempSync(join(tmpdir(), "postrider-chart-"));
const secret: Readonly<Record<string, string>> = {
  "admin-key": "chart-admin",
  "encryption-keys": newKeys().encryptionKeys,
};
let started: StartedPods;

beforeAll(() => {
  started = new StartedPods(folder, (_name, key) => secret[key] ?? "");
}, 120_000);
afterAll(async () => {
  await started?.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

testWithHelm(
  `the Jobs run, each service becomes ready and is alive, and the test sees its event${note}`,
  async () => {
    const pods = podsOf(
      render(helm, "minimal", {
        args: [
          `--set=kafka.brokers=${stack.brokers.join("\\,")}`,
          `--set=clickhouse.url=${stack.clickhouseUrl}`,
          `--set=config.POSTRIDER_TOPIC_PREFIX=${stack.prefix}`,
          `--set=config.POSTRIDER_CLICKHOUSE_DATABASE=${stack.database}`,
          `--set=config.POSTRIDER_TIERS=1s`,
          `--set=topics.partitions=2`,
        ],
      }),
    );
    const kind = (name: string): Pods[] =>
      pods.filter(({ owner }) => owner.kind === name);

    for (const job of kind("Job"))
      expect({
        job: job.owner.metadata.name,
        ...(await started.runToEnd(job)),
      }).toMatchObject({ code: 0 });
    const services = await Promise.all(
      kind("Deployment").map(async (each) => await started.startService(each)),
    );
    const alive = await Promise.all(
      services.map(async (each) => [each.component, await each.ready()]),
    );
    expect(alive).toEqual(services.map(({ component }) => [component, 200]));
    const api = (component: string): string =>
      services.find((each) => each.component === component)!.api;
    const [pod] = kind("Pod");
    const urls = {
      POSTRIDER_INGEST_URL: api("ingest"),
      POSTRIDER_CONTROL_URL: api("control"),
    };

    const published = await started.runToEnd(pod!, {
      env: urls,
      container: pod!.spec.initContainers![0]!,
    });
    // Kubernetes runs the container again until it succeeds.
    const seen = await waitFor(
      async () => {
        const ran = await started.runToEnd(pod!, { env: urls });
        return ran.code === 0 ? ran.log : null;
      },
      { timeoutMs: 60_000, what: "the row of the event" },
    );

    expect(published).toMatchObject({ code: 0 });
    expect(seen).toMatch(/helm-test-uid-1 +helm\.test +tenant helm-test/);
    const codes = await Promise.all(
      services.map(async (each) => await each.stop()),
    );
    expect(codes).toEqual(services.map(() => 0));
  },
  300_000,
);

/** The chart on the node: installed, used, scaled, disturbed, upgraded, rolled back and removed. */
import { join } from "node:path";
import { waitFor } from "@postrider/testkit";
import type { Cluster } from "./cluster.ts";
import { TENANT } from "./load.ts";
import { TAGS } from "./images.ts";
import { NAMESPACE, prerequisites } from "./release-values.ts";
import type { Release } from "./release.ts";
import type { Step } from "./steps.ts";
import { nothingLeft, onlyImage, replicasOf } from "./release-states.ts";
import { STAND_INS, standIns } from "./stand-ins.ts";
import { Trial } from "./trial.ts";

export interface ChartWorld {
  readonly cluster: Cluster;
  /** Where ledgers and values are kept. */
  readonly folder: string;
  readonly first: Release;
  readonly second: Release;
  /** Of the first release, from its installation on. */
  trial?: Trial;
}

const SERVICES = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "recorder",
  "control",
];

export const chartSteps: readonly Step<ChartWorld>[] = [
  {
    name: "stand-ins for Kafka and ClickHouse are ready",
    run: async ({ cluster: { kubectl } }) => {
      await kubectl.apply(...standIns(), ...prerequisites());
      await kubectl.run(
        "-n",
        STAND_INS,
        "rollout",
        "status",
        "deployment/kafka",
        "--timeout=300s",
      );
      await kubectl.run(
        "-n",
        STAND_INS,
        "rollout",
        "status",
        "deployment/clickhouse",
        "--timeout=300s",
      );
      return "pods of their own";
    },
  },
  {
    name: "helm install: topics and tables are made, and all pods become ready",
    run: async ({ folder, first }) => {
      await first.install(folder);
      const pods = await first.objects("pods");
      for (const service of SERVICES)
        if (!pods.some((pod) => pod.includes(service)))
          throw new Error(`no pod of ${service} among ${pods.join()}`);
      return `${pods.length} pods, admitted by the restricted Pod Security Standard`;
    },
  },
  {
    name: "an event that is published at the door's Service is delivered, and becomes a row",
    run: async (world) => {
      const { folder, first } = world;
      world.trial = await Trial.start(first, join(folder, "trial"));
      await world.trial.createEndpoints();
      await world.trial.followOne(1);
      return "signed, delivered, recorded";
    },
  },
  {
    name: "a refused delivery is retried and then delivered",
    run: async (world) => {
      await trialOf(world).followOne(0);
      return "after 1 s";
    },
  },
  {
    name: "the command runs in a pod of control",
    run: async ({ first }) => {
      const list = ["endpoints", "list", "--tenant", TENANT, "--json"];
      const { endpoints } = JSON.parse(await first.command(...list)) as {
        endpoints: unknown[];
      }; // the command's contract
      const checks = await first.command("doctor"); // rejects where something is wrong
      const ok = checks.split("\n").filter((line) => line.startsWith("ok "));
      return `${endpoints.length} endpoints; doctor finds ${ok.length} things well`;
    },
  },
  {
    name: "helm test",
    run: async ({ first }) => {
      await first.test();
      return "published and read back";
    },
  },
  {
    name: "the dispatcher scales from 1 to 3 under load, and all three send",
    run: async (world) => {
      const trial = trialOf(world);
      await trial.underLoad(async () => {
        await world.first.upgrade("dispatcher.replicas=3");
        const since = Date.now();
        await waitFor(
          async () => (await trial.workersSince(since)).length === 3,
          {
            timeoutMs: 120_000,
            everyMs: 500,
            what: "attempts of three dispatchers",
          },
        );
      });
      return await trial.judge();
    },
  },
  {
    name: "a dispatcher's pod is deleted under load",
    run: async (world) => {
      const { cluster, first } = world;
      const trial = trialOf(world);
      await trial.underLoad(async () => {
        const [pod = ""] = await first.objects("pods", "dispatcher");
        await cluster.kubectl.run("-n", NAMESPACE, "delete", pod, "--wait");
        const [deployment = ""] = await first.objects(
          "deployments",
          "dispatcher",
        );
        await cluster.kubectl.run(
          "-n",
          NAMESPACE,
          "rollout",
          "status",
          deployment,
          "--timeout=300s",
        );
      });
      return await trial.judge();
    },
  },
  {
    name: "autoscaling is turned on, and the dispatcher keeps its three pods",
    run: async ({ first }) => {
      await first.upgrade("dispatcher.autoscaling.kind=hpa");
      // Without a metrics server the autoscaler keeps what is between its limits, 2 and 6.
      const replicas = await replicasOf(first, "dispatcher");
      if (replicas !== 3) throw new Error(`there are ${replicas} now`);
      return "by a HorizontalPodAutoscaler of 2 to 6";
    },
  },
  {
    name: "helm upgrade to another image tag under load",
    run: async (world) => {
      const trial = trialOf(world);
      await trial.underLoad(() =>
        world.first.upgrade(`image.tag=${TAGS.upgraded}`),
      );
      await onlyImage(world.first, TAGS.upgraded);
      return await trial.judge();
    },
  },
  {
    name: "helm rollback under load",
    run: async (world) => {
      const trial = trialOf(world);
      await trial.underLoad(() => world.first.rollback());
      await onlyImage(world.first, TAGS.installed);
      return await trial.judge();
    },
  },
  {
    name: "a second release in the same namespace works on its own",
    run: async (world) => {
      const { folder, second } = world;
      await second.install(folder);
      const trial = await Trial.start(second, join(folder, "second"));
      try {
        const before = trialOf(world).receiver.requests.length;
        await trial.createEndpoints(3);
        await trial.followOne(1);
        const after = trialOf(world).receiver.requests.length;
        if (after !== before)
          throw new Error(
            `the first release sent ${after - before} requests for it`,
          );
        return await trial.judge();
      } finally {
        await trial.close();
      }
    },
  },
  {
    name: "helm uninstall removes a release, and leaves the other alone",
    run: async (world) => {
      await world.second.uninstall();
      await nothingLeft(world.second);
      await trialOf(world).followOne(2);
      await world.first.uninstall();
      await nothingLeft(world.first);
      return "nothing is left but the pod of helm test";
    },
  },
];

function trialOf({ trial }: ChartWorld): Trial {
  if (trial === undefined)
    throw new Error("the step that starts it comes first");
  return trial;
}

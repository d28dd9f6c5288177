/** Part 3: a real Kubernetes of one node, and the Helm chart on it, as docs/kubernetes.md tells people to use it. */
import { chartSteps, type ChartWorld } from "./kubernetes/chart-checks.ts";
import { clusterSteps } from "./kubernetes/cluster-checks.ts";
import { startCluster, type Cluster } from "./kubernetes/cluster.ts";
import { chartImages, nodeImages, saveImages } from "./kubernetes/images.ts";
import { Release } from "./kubernetes/release.ts";
import { runSteps } from "./kubernetes/steps.ts";
import type { Part } from "./part.ts";

/** What a single node without a way out cannot show. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "KEDA, and scaling by what is measured":
    "there is neither KEDA nor a metrics server",
  "the effect of NetworkPolicies":
    "the node's network plugin ignores them; they are created all the same",
  "LoadBalancer, Ingress and HTTPRoute": "there is no controller for them",
  "several nodes": "there is one",
};

export const kubernetesPart: Part = {
  name: "kubernetes",
  title: "The Helm chart on a Kubernetes of one node",
  async run({ engine, prepared, folder, checks }) {
    const { kubernetes } = prepared;
    if ("missing" in kubernetes)
      return checks.skip("Kubernetes", kubernetes.missing);
    for (const [what, why] of Object.entries(NOT_RUN)) checks.skip(what, why);

    let started: Cluster | null = null;
    const hasStarted = await checks.check("a node starts", async () => {
      const images = await saveImages(engine, folder, await nodeImages(engine));
      started = await startCluster(kubernetes, folder);
      await started.load(images);
      return "etcd, API server, controllers, scheduler, containerd, kubelet, kube-proxy and CoreDNS, as processes";
    });
    const cluster = started as Cluster | null; // assigned in the function above, which the compiler does not follow
    if (!hasStarted || cluster === null) return;
    const world: ChartWorld = {
      cluster,
      folder,
      first: new Release(cluster.kubectl, "one"),
      second: new Release(cluster.kubectl, "two"),
    };
    const explain = () =>
      cluster.kubectl.run(
        "get",
        "pods,events",
        "--all-namespaces",
        "-o",
        "wide",
      );
    const telling = { checks, explain };
    try {
      if (!(await runSteps(clusterSteps, world, telling))) return;
      const hasImages = await checks.check(
        "the images are on the node",
        async () => {
          const names = await chartImages(engine);
          await cluster.load(await saveImages(engine, folder, names));
          return names.join(", ");
        },
      );
      if (hasImages) await runSteps(chartSteps, world, telling);
    } finally {
      await world.trial?.close();
      await cluster.stop();
    }
  },
};

/** States of a release that a check waits for. */
import { waitFor } from "@postrider/testkit";
import { REPOSITORY } from "./images.ts";
import type { Release } from "./release.ts";

const KINDS =
  "deployments,services,pods,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies,jobs";

/** The pod of `helm test` stays by intent, for its log. */
export async function nothingLeft(release: Release): Promise<void> {
  await waitFor(
    async () => {
      const left = await release.objects(KINDS);
      return left.every((name) => name.endsWith("-test"));
    },
    {
      timeoutMs: 120_000,
      everyMs: 500,
      what: `nothing of ${release.name} to be left`,
    },
  );
}

export async function onlyImage(release: Release, tag: string): Promise<void> {
  const wanted = `${REPOSITORY}:${tag}`;
  await waitFor(
    async () => {
      const images = await release.images();
      return images.size === 1 && images.has(wanted);
    },
    {
      timeoutMs: 120_000,
      everyMs: 500,
      what: `all pods to have the image ${wanted}`,
    },
  );
}

/** How many pods the Deployment of a component asks for. */
export async function replicasOf(
  release: Release,
  component: string,
): Promise<number> {
  const replicas = await release.read(
    "deployments",
    component,
    "{.items[0].spec.replicas}",
  );
  return Number(replicas);
}

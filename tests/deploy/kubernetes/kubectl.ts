import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { run } from "../shell.ts";

/** The two command lines that a user of the cluster has. */
export interface Kubectl {
  /** Runs kubectl and returns what it prints. */
  run(...args: readonly string[]): Promise<string>;
  /** Creates or changes objects. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Runs helm and returns what it prints. */
  helm(...args: readonly string[]): Promise<string>;
}

/** Both write their own files into `folder` only. */
export function createKubectl(
  { kubectl, helm }: Binaries,
  kubeconfig: string,
  folder: string,
): Kubectl {
  const cache = `--cache-dir=${join(folder, "kubectl")}`;
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(folder, "helm"),
    HELM_CONFIG_HOME: join(folder, "helm"),
    HELM_DATA_HOME: join(folder, "helm"),
  };
  const kube = async (
    args: readonly string[],
    input?: string,
  ): Promise<string> =>
    await run(kubectl, [cache, ...args], {
      env,
      ...(input !== undefined && { input }),
    });
  return {
    run: (...args) => kube(args),
    apply: async (...objects) => {
      const list = { apiVersion: "v1", kind: "List", items: objects };
      await kube(["apply", "-f", "-"], JSON.stringify(list));
    },
    helm: (...args) => run(helm, args, { env }),
  };
}

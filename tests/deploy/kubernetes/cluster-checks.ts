/** Shows that the node is a Kubernetes: pods run, are probed, and find each other by name. */
import { waitFor } from "@postrider/testkit";
import type { Cluster } from "./cluster.ts";
import { NODE_IMAGE } from "./images.ts";
import type { Step } from "./steps.ts";

const NAMESPACE = "node-check";
const PATIENCE = { timeoutMs: 180_000, everyMs: 500 };

const SERVER = `require("node:http").createServer((_, answer) => answer.end("pong from " + process.getuid())).listen(8080)`;
const CLIENT = `fetch("http://web.${NAMESPACE}.svc.cluster.local/").then((answer) => answer.text()).then(console.log)`;

export const clusterSteps: readonly Step<{ readonly cluster: Cluster }>[] = [
  {
    name: "the node is Ready",
    run: async ({ cluster: { kubectl, nodeName } }) => {
      await waitFor(
        async () =>
          (await kubectl.run(
            "get",
            "node",
            nodeName,
            "-o",
            "jsonpath={.status.conditions[?(@.type=='Ready')].status}",
          )) === "True",
        { ...PATIENCE, what: "the node to be Ready" },
      );
      return await kubectl.run(
        "get",
        "node",
        nodeName,
        "-o",
        "jsonpath={.status.nodeInfo.kubeletVersion}, {.status.nodeInfo.containerRuntimeVersion}",
      );
    },
  },
  {
    name: "a pod runs without rights, and its HTTP probe succeeds",
    run: async ({ cluster: { kubectl } }) => {
      // A namespace gets its service account a moment later. Until then, pods are refused.
      const apply = () => kubectl.apply(...probedPod()).then(() => true);
      await waitFor(apply, { ...PATIENCE, what: "the pod to be accepted" });
      await kubectl.run(
        "-n",
        NAMESPACE,
        "wait",
        "--for=condition=Ready",
        "pod/web",
        "--timeout=180s",
      );
      return "uid 10001, read-only root, no capabilities, seccomp";
    },
  },
  {
    name: "a pod reaches another by the name of its Service",
    run: async ({ cluster: { kubectl } }) => {
      await kubectl.apply(restrictedPod("client", CLIENT));
      await kubectl.run(
        "-n",
        NAMESPACE,
        "wait",
        "--for=jsonpath={.status.phase}=Succeeded",
        "pod/client",
        "--timeout=180s",
      );
      const said = (
        await kubectl.run("-n", NAMESPACE, "logs", "client")
      ).trim();
      if (said !== "pong from 10001") throw new Error(`the pod got: ${said}`);
      await kubectl.run("delete", "namespace", NAMESPACE, "--wait=false");
      return said;
    },
  },
];

function probedPod(): object[] {
  const metadata = { name: "web", namespace: NAMESPACE };
  const ports = [{ port: 80, targetPort: 8080 }];
  const enforce = { "pod-security.kubernetes.io/enforce": "restricted" };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE, labels: enforce },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: "web" }, ports },
    },
    restrictedPod("web", SERVER, {
      httpGet: { path: "/", port: 8080 },
      periodSeconds: 1,
    }),
  ];
}

/** A pod that the restricted Pod Security Standard admits. */
function restrictedPod(
  name: string,
  script: string,
  readinessProbe?: object,
): object {
  const container = {
    name,
    image: NODE_IMAGE,
    imagePullPolicy: "Never",
    command: ["node", "-e", script],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    ...(readinessProbe && { readinessProbe }),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [container],
    },
  };
}

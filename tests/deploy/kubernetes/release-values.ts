/** What a release is installed with: a namespace, a Secret, and values. */
import { HOST_ADDRESS } from "./network.ts";
import { REPOSITORY, TAGS } from "./images.ts";
import { INNER_CLICKHOUSE, INNER_KAFKA } from "./stand-ins.ts";

export const NAMESPACE = "postrider";
const SECRET = "postrider-keys";
export const ADMIN_KEY = "kubernetes-test";
/** Few and short ones: nobody waits for an hour here. */
export const TIERS = "1s,2s,4s";
const PARTITIONS = 6;

/** The namespace admits only pods of the restricted standard. The chart makes no secret, so one is made here. */
export function prerequisites(): object[] {
  const enforce = { "pod-security.kubernetes.io/enforce": "restricted" };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE, labels: enforce },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: SECRET, namespace: NAMESPACE },
      stringData: {
        "admin-key": ADMIN_KEY,
        "encryption-keys": `k1:${Buffer.alloc(32, 7).toString("base64")}`,
      },
    },
  ];
}

export const VALUES = {
  image: { repository: REPOSITORY, tag: TAGS.installed, pullPolicy: "Never" },
  kafka: { brokers: INNER_KAFKA },
  clickhouse: { url: INNER_CLICKHOUSE },
  secrets: {
    adminKey: { existingSecret: SECRET },
    encryptionKeys: { existingSecret: SECRET },
  },
  config: {
    POSTRIDER_TIERS: TIERS,
    POSTRIDER_ALLOW_HTTP: true,
    POSTRIDER_ALLOW_CIDRS: `${HOST_ADDRESS}/32`,
  },
  topics: { partitions: PARTITIONS },
  // Two cores carry the whole node.
  defaults: {
    replicas: 1,
    resources: { requests: { cpu: "10m", memory: "64Mi" } },
  },
  dispatcher: { resources: { requests: { cpu: "10m", memory: "64Mi" } } },
  jobs: { resources: { requests: { cpu: "10m", memory: "64Mi" } } },
};

/** The chart's README: values.yaml as a list, each key with the comment above it. */
import { isMap, isScalar, type Document, type Node, type Pair } from "yaml";
import { keyOf } from "./values-schema.ts";
import { ownSettings, SERVICE_SPECS, sharedSettings } from "./variables.ts";

const INTRODUCTION = `# The chart \`postrider\`

Installs Postrider's five services beside your own Kafka and ClickHouse. It bundles neither, and it makes no Secret. It needs Helm 3 or 4 and Kubernetes 1.29 or newer. How to get from nothing to a delivered event: [docs/kubernetes.md](../../../docs/kubernetes.md). What to do before an upgrade: [UPGRADING.md](UPGRADING.md).

This page is generated from \`values.yaml\` and the services' configuration. A value that is not listed, or out of its range, is refused by name.

\`\`\`sh
kubectl create secret generic postrider \\
  --from-literal=admin-key="$(openssl rand -hex 24)" \\
  --from-literal=encryption-keys="k1:$(openssl rand -base64 32)"
helm install postrider deploy/helm/postrider \\
  --set image.repository=registry.example.com/postrider \\
  --set kafka.brokers=kafka-bootstrap.kafka.svc:9092 \\
  --set clickhouse.url=http://clickhouse.data.svc:8123 \\
  --set secrets.adminKey.existingSecret=postrider \\
  --set secrets.encryptionKeys.existingSecret=postrider
\`\`\`

Complete examples are in \`ci/\`: a file for each way to sign in to Kafka, for Strimzi, for KEDA, and one with everything on.

## Two releases

**A release's name must be the only one of its kind on its Kafka and its ClickHouse, not only in its namespace.** Two releases of one name in two namespaces, on one Kafka, are one installation: set \`POSTRIDER_TOPIC_PREFIX\` and \`POSTRIDER_CLICKHOUSE_DATABASE\` of one of them to something else before it is installed.

Two releases of different names share nothing: objects are named after their release, and so are, unless you set them, the topics (\`RELEASE.events\`), the consumer groups, the transactional id and ClickHouse's database. Two releases with the same \`POSTRIDER_TOPIC_PREFIX\` on one Kafka are one installation: they share the work of each service, and must have the same encryption keys, the same admin key and the same database.
`;

export function renderReadme(values: Document): string {
  return [
    INTRODUCTION,
    "## Values",
    "",
    "Each with its default. A service's block has all that `defaults` has, too.",
    "",
    ...rows(values.contents, "").map(line),
    "",
    "## Settings",
    "",
    "`config` takes each of these, and gives it to every service that knows it. Ranges and meanings: [docs/configuration.md](../../../docs/configuration.md).",
    "",
    ...[...sharedSettings().keys()].map((name) => `- \`${name}\``),
    "",
    "A service's own `config` wins, and takes:",
    "",
    ...Object.keys(SERVICE_SPECS).map(
      (service) =>
        `- \`${keyOf(service)}.config\`: ${[...ownSettings(service).keys()].map((name) => `\`${name}\``).join(", ")}`,
    ),
    "",
  ].join("\n");
}

interface Row {
  readonly path: string;
  readonly standard: string;
  readonly comment: string;
}

/** A map with a comment and leaves is a row of its own, without a default. */
function rows(node: unknown, path: string): Row[] {
  if (!isMap(node)) return [];
  return (node.items as Pair<Node, Node | null>[]).flatMap((pair, at) => {
    const key = pair.key as Node & { commentBefore?: string };
    const name = path === "" ? String(key) : `${path}.${String(key)}`;
    // The first comment of a map belongs to the map in yaml's tree.
    const before = key.commentBefore ?? (at === 0 ? node.commentBefore : "");
    const comment = (before ?? "").split("\n").map((line) => line.trim());
    const isGroup = isMap(pair.value) && pair.value.items.length > 0;
    const own = {
      path: name,
      standard: isGroup ? "" : written(pair.value),
      comment: comment.join(" ").trim(),
    };
    return [
      ...(isGroup && own.comment === "" ? [] : [own]),
      ...(isGroup ? rows(pair.value, name) : []),
    ];
  });
}

function written(value: Node | null): string {
  if (isScalar(value)) return `\`${JSON.stringify(value.value)}\``;
  return `\`${JSON.stringify(value)}\``;
}

function line({ path, standard, comment }: Row): string {
  const parts = [`- \`${path}\``, ...(standard === "" ? [] : [standard])];
  return `${parts.join(" = ")}${comment === "" ? "" : `: ${comment}`}`;
}

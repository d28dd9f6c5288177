/**
 * Writes docs/kafka-rights.md from the list of rights that the services check at their start (packages/messaging/src/rights.ts).
 * `node scripts/generate-rights-reference.ts --check` writes nothing and exits 1 when the file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { DEFAULT_TIERS, parseTiers } from "../packages/core/src/index.ts";
import {
  grantCommand,
  HOLDERS_OF,
  lagRightOfSource,
  mergedRights,
  rightsOf,
  rightsOfSources,
  type Right,
} from "../packages/messaging/src/index.ts";

type Service = keyof typeof HOLDERS_OF;
const SERVICES = Object.keys(HOLDERS_OF) as Service[]; // its keys are the services
const PREFIX = "postrider.";
/** A topic as it might be called. */
const A_SOURCE = "shop.orders";

const target = new URL("../docs/kafka-rights.md", import.meta.url);
const text = await format(render(), { parser: "markdown" });
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
if (process.argv.includes("--check")) {
  if (present !== text) {
    console.error(
      "docs/kafka-rights.md is out of date; run: node scripts/generate-rights-reference.ts",
    );
    process.exitCode = 1;
  }
} else if (present !== text) writeFileSync(target, text);

function rightsOfService(service: Service): readonly Right[] {
  return mergedRights(
    HOLDERS_OF[service].flatMap((holder) =>
      rightsOf(holder, { prefix: PREFIX, tiers: parseTiers(DEFAULT_TIERS) }),
    ),
  );
}

/** Those that control can do without, in words. */
function lagRights(): string {
  const rights = rightsOf("lag", { prefix: PREFIX, tiers: [] });
  const named = (resource: Right["resource"]): string =>
    rights
      .filter((right) => right.resource === resource)
      .map(({ name, isPrefix }) => `\`${name}${isPrefix ? "*" : ""}\``)
      .join(", ");
  return `Describe on the topics ${named("topic")} and the groups ${named("group")}`;
}

function operationsRights(): readonly Right[] {
  return rightsOf("operations", { prefix: PREFIX, tiers: [] });
}

function render(): string {
  const services = SERVICES;
  return [
    "# Rights in Kafka",
    "",
    "Generated from the list that each service checks at its start. What TLS and SASL need, and how a missing right shows: [security.md](security.md).",
    "",
    `The names are those of the default prefix \`${PREFIX}\` and the default tiers. A name that ends with \`*\` stands for all names that begin so: the groups of one process end with a random id. To read or to write includes to describe. Creating topics is \`postrider topics apply\`'s work, which needs Create, Describe, DescribeConfigs, Alter and AlterConfigs on them; no service needs a right on the cluster.`,
    "",
    "| service | resource | name | operations |",
    "| --- | --- | --- | --- |",
    ...services.flatMap((service) =>
      rightsOfService(service).map((right) => row(service, right)),
    ),
    "",
    `Without ${lagRights()} control works all the same: \`GET /v1/system\` and the console then lack what they are for, and name the right.`,
    "",
    "Whoever may write `postrider.events` may act for any tenant, and only control may write `postrider.endpoints` and `postrider.control`.",
    "",
    "## Operational events",
    "",
    "Where `POSTRIDER_OPERATIONS_TENANT` is set ([operational-events.md](operational-events.md)), control writes one topic more:",
    "",
    "```sh",
    ...operationsRights().map((right) =>
      grantCommand(right, "User:postrider-control"),
    ),
    "```",
    "",
    "```yaml",
    ...operationsRights().flatMap(strimziRight),
    "```",
    "",
    "## Topics of yours",
    "",
    `For each [configured source](publishing.md#topics-that-are-there-already) ingest reads its topic, in a group of its own. Of a topic \`${A_SOURCE}\`:`,
    "",
    "```sh",
    ...rightsOfSources(PREFIX, [A_SOURCE]).map((right) =>
      grantCommand(right, "User:postrider-ingest"),
    ),
    "```",
    "",
    "```yaml",
    ...rightsOfSources(PREFIX, [A_SOURCE]).flatMap(strimziRight),
    "```",
    "",
    "For control to tell how far ingest has read it (control works without this, too):",
    "",
    "```sh",
    grantCommand(lagRightOfSource(A_SOURCE), "User:postrider-control"),
    "```",
    "",
    "While one of ingest's is missing, that source waits. Ingest itself, and the other sources, go on; `/readyz` has it as `source-rights`.",
    "",
    "## As commands",
    "",
    "With the users `postrider-ingest`, `postrider-dispatcher` and so on. Set `BROKER` and write `admin.properties` first, as [security.md](security.md#rights) has it.",
    "",
    "```sh",
    ...services.flatMap((service) =>
      rightsOfService(service).map((right) =>
        grantCommand(right, `User:postrider-${service}`),
      ),
    ),
    "```",
    "",
    "## As Strimzi users",
    "",
    "For a cluster named `kafka` with `authorization: {type: simple}`.",
    "",
    "```yaml",
    ...services.flatMap(strimziUser),
    "```",
    "",
  ].join("\n");
}

function row(service: Service, right: Right): string {
  const name = `\`${right.name}${right.isPrefix ? "*" : ""}\``;
  const operations = right.operations.join(", ");
  return `| ${service} | ${right.resource.replace("-", " ")} | ${name} | ${operations} |`;
}

function strimziUser(service: Service, nth: number): string[] {
  return [
    ...(nth > 0 ? ["---"] : []),
    "apiVersion: kafka.strimzi.io/v1",
    "kind: KafkaUser",
    "metadata:",
    `  name: postrider-${service}`,
    "  labels:",
    "    strimzi.io/cluster: kafka",
    "spec:",
    "  authentication:",
    "    type: scram-sha-512",
    "  authorization:",
    "    type: simple",
    "    acls:",
    ...rightsOfService(service).flatMap(strimziRight),
  ];
}

function strimziRight(right: Right): string[] {
  return [
    "      - resource:",
    `          type: ${right.resource === "transactional-id" ? "transactionalId" : right.resource}`,
    `          name: ${right.name}`,
    `          patternType: ${right.isPrefix ? "prefix" : "literal"}`,
    `        operations: [${right.operations.join(", ")}]`,
  ];
}

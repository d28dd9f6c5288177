/**
 * The one place for the versions of the servers that Postrider runs on, and for their images. The jars that local-stack
 * downloads have the same versions. docker-compose.yml repeats the images, and tests/compose-file.test.ts compares them.
 */

export const KAFKA_VERSION = "4.4.0";

export const REGISTRY_VERSION = "2.6.13.Final";

export const IMAGES = {
  kafka: `apache/kafka:${KAFKA_VERSION}`,
  clickhouse: "clickhouse/clickhouse-server:26.7",
  registry: `apicurio/apicurio-registry-mem:${REGISTRY_VERSION}`,
  prometheus: "prom/prometheus:v3.5.0",
  grafana: "grafana/grafana:12.1.0",
} as const;

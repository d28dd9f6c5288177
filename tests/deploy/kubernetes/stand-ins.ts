/** Kafka and ClickHouse beside the chart, one pod each, without lasting data. */
import { IMAGES } from "@postrider/local-stack";

export const STAND_INS = "stand-ins";

/** By these addresses, the test reaches the Services. They are fixed, because Kafka must tell its own. */
const KAFKA_ADDRESS = "10.96.0.20";
const CLICKHOUSE_ADDRESS = "10.96.0.21";
export const OUTER_KAFKA = `${KAFKA_ADDRESS}:9094`;
export const OUTER_CLICKHOUSE = `http://${CLICKHOUSE_ADDRESS}:8123`;
export const INNER_KAFKA = `kafka.${STAND_INS}.svc:9092`;
export const INNER_CLICKHOUSE = `http://clickhouse.${STAND_INS}.svc:8123`;

/** INNER is for pods, OUTER for the test. Otherwise as in docker-compose.yml. */
const KAFKA_ENVIRONMENT = {
  CLUSTER_ID: "UG9zdHJpZGVyLWt1YmUtMQ",
  KAFKA_PROCESS_ROLES: "broker,controller",
  KAFKA_NODE_ID: "1",
  KAFKA_CONTROLLER_QUORUM_VOTERS: "1@127.0.0.1:9093",
  KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
  KAFKA_LISTENERS: "INNER://:9092,OUTER://:9094,CONTROLLER://127.0.0.1:9093",
  KAFKA_ADVERTISED_LISTENERS: `INNER://${INNER_KAFKA},OUTER://${OUTER_KAFKA}`,
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP:
    "INNER:PLAINTEXT,OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT",
  KAFKA_INTER_BROKER_LISTENER_NAME: "INNER",
  KAFKA_LOG_DIRS: "/var/lib/kafka/data",
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: "1",
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: "1",
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
};

export function standIns(): object[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: STAND_INS } },
    ...server({
      name: "kafka",
      image: IMAGES.kafka,
      clusterIP: KAFKA_ADDRESS,
      ports: [9092, 9094],
      env: KAFKA_ENVIRONMENT,
    }),
    ...server({
      name: "clickhouse",
      image: IMAGES.clickhouse,
      clusterIP: CLICKHOUSE_ADDRESS,
      ports: [8123],
      env: {},
    }),
  ];
}

/** A Deployment of one pod, and a Service. The pod is ready when it listens on the first port. */
function server(options: {
  readonly name: string;
  readonly image: string;
  readonly clusterIP: string;
  readonly ports: readonly number[];
  readonly env: Readonly<Record<string, string>>;
}): object[] {
  const { name, image, clusterIP, ports, env } = options;
  const metadata = { name, namespace: STAND_INS };
  const labels = { app: name };
  const container = {
    name,
    image,
    imagePullPolicy: "Never",
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { tcpSocket: { port: ports[0] }, periodSeconds: 2 },
  };
  const pod = {
    automountServiceAccountToken: false,
    // Kubernetes would set KAFKA_PORT and others, which Kafka's image takes for settings.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 15,
    containers: [container],
  };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP,
        selector: labels,
        ports: ports.map((port) => ({ name: `p${port}`, port })),
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod },
      },
    },
  ];
}

import { secureSettings, type SecureSettings } from "./kafka-secure.ts";

/** Settings for a small broker that starts and recovers fast. Not for data that matter. */
export function kafkaSettings(options: {
  readonly port: number;
  /** The port of each node's controller, in the order of the node ids, which start at 1. */
  readonly controllerPorts: readonly number[];
  readonly nodeId: number;
  readonly dataDir: string;
  readonly listenHost?: string;
  readonly secure?: SecureSettings | undefined;
}): Readonly<Record<string, string>> {
  const { port, controllerPorts, nodeId, dataDir } = options;
  const { listenHost = "127.0.0.1" } = options;
  const controllerPort = controllerPorts[nodeId - 1];
  const nodes = controllerPorts.length;
  const { secure } = options;
  const secureAt = secure
    ? `SASL://127.0.0.1:${secure.saslPort},MUTUAL://127.0.0.1:${secure.mutualPort},`
    : "";
  const replicas = String(nodes);
  // All replicas but one must have a record: an acknowledged record survives the loss of any one broker, and one broker that is down stops no producer.
  const inSync = String(Math.max(1, nodes - 1));
  return {
    "process.roles": "broker,controller",
    "node.id": String(nodeId),
    "controller.quorum.voters": controllerPorts
      .map((at, i) => `${i + 1}@127.0.0.1:${at}`)
      .join(),
    "controller.listener.names": "CONTROLLER",
    listeners: `${secureAt}PLAINTEXT://${listenHost}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `${secureAt}PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": dataDir,
    "auto.create.topics.enable": "false",
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "8388608",
    // After a kill, the broker is let in again only when its old lease has run out: with this setting after 2 s instead of 11.
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
    ...(options.secure && secureSettings(options.secure)),
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
  };
}

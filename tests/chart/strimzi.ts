/** What Strimzi's resources may hold, as far as the chart uses them (kafka.strimzi.io/v1). There is no package with models of them. */
import type { IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";

export interface IKafkaTopic {
  apiVersion: "kafka.strimzi.io/v1";
  kind: "KafkaTopic";
  metadata?: IObjectMeta;
  spec: {
    topicName?: string;
    partitions?: number;
    replicas?: number;
    config?: Record<string, string | number | boolean>;
  };
}

type Operation =
  | "Read"
  | "Write"
  | "Create"
  | "Delete"
  | "Alter"
  | "Describe"
  | "ClusterAction"
  | "AlterConfigs"
  | "DescribeConfigs"
  | "IdempotentWrite"
  | "All";

export interface IKafkaUser {
  apiVersion: "kafka.strimzi.io/v1";
  kind: "KafkaUser";
  metadata?: IObjectMeta;
  spec: {
    authentication?: { type: "tls" | "tls-external" | "scram-sha-512" };
    authorization?: {
      type: "simple";
      acls: {
        type?: "allow" | "deny";
        host?: string;
        resource: {
          type: "topic" | "group" | "cluster" | "transactionalId";
          name?: string;
          patternType?: "literal" | "prefix";
        };
        operations?: Operation[];
      }[];
    };
  };
}

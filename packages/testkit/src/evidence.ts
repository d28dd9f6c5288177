/** What a fault run leaves behind for its judge: read from ledgers, topics, ClickHouse and the services' own figures. */
import type { Attempt, DeadLetter, Intake } from "@postrider/core";
import type { PublishedEntry, ReceivedEntry, RunnerEntry } from "./ledger.ts";

/** A record of `deliveries`: where it stood, and what it was. */
export interface DeliveryPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When it was produced. */
  readonly timestamp: number;
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly step: number;
}

/** A time in which a fault may have cut off what a dispatcher had begun. Epoch ms. */
export interface Interruption {
  readonly from: number;
  readonly until: number;
}

/** One table of ClickHouse against the topic that it is made of. */
export interface TableEvidence {
  readonly table: string;
  readonly records: number;
  /** Different keys of the table among the records: an output that sent a batch again wrote some records twice. */
  readonly recordKeys: number;
  readonly rows: number;
  /** Different keys among the rows. */
  readonly rowKeys: number;
  /** Different (log_partition, log_offset) among the rows. */
  readonly rowPlaces: number;
  /** Records that have no row, as partition@offset, the first of them: for who looks for the reason. */
  readonly missing?: readonly string[];
}

export interface ProcessFigures {
  readonly heapBytes: number;
  readonly sockets: number;
  readonly timers: number;
}

/** A process that lived through the fault, at rest before and after it. */
export interface Survivor {
  readonly name: string;
  readonly before: ProcessFigures;
  readonly after: ProcessFigures;
  /** Connections, each with its timer, that it may have more: kafkajs keeps the one by which it found a broker again, one a client. Default 0. */
  readonly spareConnections?: number;
}

export interface Evidence {
  readonly published: readonly PublishedEntry[];
  readonly received: readonly ReceivedEntry[];
  /** In the order of writing, all dispatchers together. */
  readonly runner: readonly RunnerEntry[];
  readonly interruptions: readonly Interruption[];
  readonly deliveries: readonly DeliveryPlace[];
  /** Every record of the topic `attempts`. */
  readonly attempts: readonly Attempt[];
  readonly deadLetters: readonly DeadLetter[];
  readonly intake: readonly Intake[];
  readonly tables: readonly TableEvidence[];
  /** The sum of `attempts` over each roll-up. */
  readonly rolledUp: Readonly<Record<string, number>>;
  /** Over all groups. */
  readonly lag: number;
  readonly survivors: readonly Survivor[];
}

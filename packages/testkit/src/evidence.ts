/** What a fault run leaves behind for the checker: read from ledgers, topics, ClickHouse and the services' own metrics. */
import type {
  Attempt,
  DeadLetter,
  Intake,
  RollUpDay,
  RollUpVerdict,
} from "@postrider/core";
import type { PublishedEntry, ReceivedEntry, RunnerEntry } from "./ledger.ts";

/** A record of `deliveries`, with its coordinates. */
export interface DeliveryPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When the record was produced (epoch ms). */
  readonly timestamp: number;
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly step: number;
}

/** A period in which a fault may have cut off requests that a dispatcher had begun. Epoch ms. */
export interface Interruption {
  readonly from: number;
  readonly until: number;
}

/** Compares one table of ClickHouse with the topic that fills it. */
export interface TableEvidence {
  readonly table: string;
  readonly records: number;
  /** The number of different table keys among the records: an output that sent a batch again wrote some records twice. */
  readonly recordKeys: number;
  readonly rows: number;
  /** The number of different keys among the rows. */
  readonly rowKeys: number;
  /** The number of different (log_partition, log_offset) pairs among the rows. */
  readonly rowPlaces: number;
  /** The first few records without a row, as partition@offset, to help find the reason. */
  readonly missing?: readonly string[];
}

export interface ProcessFigures {
  readonly heapBytes: number;
  readonly sockets: number;
  readonly timers: number;
}

/** A process that survived the fault, measured at rest before and after it. */
export interface Survivor {
  readonly name: string;
  readonly before: ProcessFigures;
  readonly after: ProcessFigures;
  /** How many more connections, each with its timer, are allowed: each kafkajs client keeps the one by which it found a broker again. Default 0. */
  readonly spareConnections?: number;
}

export interface Evidence {
  readonly published: readonly PublishedEntry[];
  readonly received: readonly ReceivedEntry[];
  /** Entries of all dispatchers, in the order of writing. */
  readonly runner: readonly RunnerEntry[];
  readonly interruptions: readonly Interruption[];
  readonly deliveries: readonly DeliveryPlace[];
  /** Every record of the topic `attempts`. */
  readonly attempts: readonly Attempt[];
  readonly deadLetters: readonly DeadLetter[];
  readonly intake: readonly Intake[];
  readonly tables: readonly TableEvidence[];
  /** The sum of `attempts` in each roll-up table. */
  readonly rolledUp: Readonly<Record<string, number>>;
  /** Each roll-up of each day, compared with the table `attempts` bucket by bucket; after its repair where it was repaired. */
  readonly rollUps: readonly (RollUpDay & {
    readonly verdict: RollUpVerdict;
  })[];
  /** The lag of all groups together. */
  readonly lag: number;
  readonly survivors: readonly Survivor[];
}

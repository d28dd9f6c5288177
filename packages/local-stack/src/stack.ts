import type { Progress } from "./maven.ts";
import type { ServerHandle } from "./server-process.ts";

export const PROVIDERS = ["external", "docker", "local"] as const;
/** Where the servers come from: addresses that are given, containers, or processes of this machine. */
export type Provider = (typeof PROVIDERS)[number];

export interface StackOptions {
  /** Default: POSTRIDER_STACK, else the first that works. */
  readonly provider?: Provider | undefined;
  /** Also a schema registry; default false. */
  readonly registry?: boolean | undefined;
  /** Brokers of one cluster, each also a controller: every topic is on all of them, and all but one must take a record. Default 1. `local` only. */
  readonly brokers?: 1 | 3 | undefined;
  /** Keep data here between runs; default: a temporary folder that goes with the stack. A registry keeps nothing. `local` only. */
  readonly dataDir?: string | undefined;
  /** Told what happens while it takes long: downloads, the first start. */
  readonly onProgress?: Progress | undefined;
  /** Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Fixed ports instead of free ones; `kafka` is the first broker's. `local` only. */
  readonly ports?:
    | {
        readonly kafka?: number;
        readonly clickhouse?: number;
        readonly registry?: number;
      }
    | undefined;
}

/** A Kafka and a ClickHouse that can be used at once. `server` is there where the stack owns the process. */
export interface Stack {
  readonly provider: Provider;
  readonly kafka: {
    readonly brokers: readonly string[];
    /** The only broker, or the first. */
    readonly server: ServerHandle | null;
    /** Of a cluster all, in the order of `brokers` and of their node ids, which count from 1. */
    readonly servers: readonly ServerHandle[];
  };
  readonly clickhouse: {
    readonly url: string;
    readonly server: ServerHandle | null;
  };
  /** With its path: what a registry client takes as host. */
  readonly schemaRegistry: {
    readonly url: string;
    readonly server: ServerHandle | null;
  } | null;
  /** Ends what the stack started and removes its temporary folder. Twice is safe. */
  stop(): Promise<void>;
}

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
  /** Keep data here between runs; default: a temporary folder that goes with the stack. A registry keeps nothing. `local` only. */
  readonly dataDir?: string | undefined;
  /** Told what happens while it takes long: downloads, the first start. */
  readonly onProgress?: Progress | undefined;
  /** Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Fixed ports instead of free ones. `local` only. */
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
    readonly server: ServerHandle | null;
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

import type { Progress } from "./maven.ts";
import type { ServerHandle } from "./server-process.ts";

export const PROVIDERS = ["external", "docker", "local"] as const;
/** Where the servers come from: given addresses (`external`), containers (`docker`), or processes of this machine (`local`). */
export type Provider = (typeof PROVIDERS)[number];

export interface StackOptions {
  /** Default: POSTRIDER_STACK, else the first provider that works. */
  readonly provider?: Provider | undefined;
  /** Also start a schema registry. Default false. */
  readonly registry?: boolean | undefined;
  /** The number of brokers in the cluster, each of them also a controller. Every topic has a replica on each, and all but one must have a record before it is acknowledged. Default 1. `local` only. */
  readonly brokers?: 1 | 3 | undefined;
  /** The folder in which data are kept between runs. Default: a temporary folder that is removed with the stack. A registry keeps nothing. `local` only. */
  readonly dataDir?: string | undefined;
  /** Called with what is going on when it takes long: downloads, the first start. */
  readonly onProgress?: Progress | undefined;
  /** Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Also listen with TLS and SASL. `local` and one broker only; without a data folder. */
  readonly secure?: SecureListeners | undefined;
  /** Users of ClickHouse beside `default`, who may do everything without a password. `local` only. */
  readonly clickhouseUsers?:
    Readonly<Record<string, ClickHouseUser>> | undefined;
  /** Whether ClickHouse keeps `system.query_log`, with what each query has read. Default false. `local` only. */
  readonly clickhouseQueryLog?: boolean | undefined;
  /** Fixed ports instead of free ones; `kafka` is the port of the first broker. `local` only. */
  readonly ports?:
    | {
        readonly kafka?: number;
        readonly clickhouse?: number;
        readonly registry?: number;
      }
    | undefined;
}

export interface ClickHouseUser {
  readonly password: string;
  /** `GRANT …`, each without its user. */
  readonly grants: readonly string[];
  /** The settings of a profile of its own, with the bounds that a query may change them in. Default: those of `default`. */
  readonly settings?: Readonly<
    Record<
      string,
      {
        readonly value: number | string;
        readonly min?: number;
        readonly max?: number;
      }
    >
  >;
  /** By table (`db.table`): the condition under which the user sees a row. */
  readonly rowFilters?: Readonly<Record<string, string>>;
}

/** Two more listeners of the only broker, and an authorizer: who comes by them may do what ACLs allow; who comes by the plain one, everything. */
export interface SecureListeners {
  /** The broker's certificate and key, PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  /** Clients' certificates, or those of their authorities, PEM. */
  readonly trusted: readonly string[];
  /** Users of PLAIN and of both SCRAMs. */
  readonly users: Readonly<Record<string, string>>;
  /** A session must be renewed after this time; 0: never. */
  readonly reauthenticateMs?: number;
}

/** A Kafka and a ClickHouse that can be used at once. `server` is null when the stack does not own the process. */
export interface Stack {
  readonly provider: Provider;
  readonly kafka: {
    readonly brokers: readonly string[];
    /** The only broker, or the first one of a cluster. */
    readonly server: ServerHandle | null;
    /** All brokers of a cluster, in the order of `brokers` and of their node ids, which start at 1. */
    readonly servers: readonly ServerHandle[];
    /** The only broker's listeners that want SASL over TLS, and a client's certificate. */
    readonly secure?: { readonly sasl: string; readonly mutualTls: string };
  };
  readonly clickhouse: {
    readonly url: string;
    readonly server: ServerHandle | null;
  };
  /** The URL includes the API's path, as a registry client expects it as its host. */
  readonly schemaRegistry: {
    readonly url: string;
    readonly server: ServerHandle | null;
  } | null;
  /** Ends what the stack started and removes its temporary folder. Calling it twice is safe. */
  stop(): Promise<void>;
}

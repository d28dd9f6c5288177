/** Whether a server's name is known, its port open and its certificate good, before any client of it asks. */
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import {
  connect as connectTls,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import { counted } from "@postrider/core";
import {
  firstEnd,
  hostAndPort,
  registryTlsOf,
  serverName,
  tlsOf,
  type ClickHouseConfig,
  type KafkaConfig,
  type RegistryAddress,
} from "@postrider/runtime";
import { EXIT, reasonOf } from "../cli-error.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";

const WITHIN_MS = 5_000;
const DAY_MS = 86_400_000;
/** A certificate that ends within this time is a warning. */
const ENDS_SOON_DAYS = 21;

interface Server {
  readonly check: string;
  readonly host: string;
  readonly port: number;
  /** Null: without TLS. */
  readonly tls: SecureContextOptions | null;
  /** The variable that names the server, and the one that names its authorities. */
  readonly variable: string;
  readonly caVariable: string;
}

export async function brokerChecks(
  config: Pick<KafkaConfig, "kafkaBrokers"> & Partial<KafkaConfig>,
): Promise<Finding[]> {
  return await Promise.all(
    config.kafkaBrokers.map((broker) =>
      checkServer({
        check: `broker ${broker}`,
        ...hostAndPort(broker),
        tls: config.kafkaTls === true ? tlsOf(config) : null,
        variable: "KAFKA_BROKERS",
        caVariable: "KAFKA_TLS_CA",
      }),
    ),
  );
}

/** Of the ClickHouse of `dev` the URL is enough. */
export type ClickHouseServer = Pick<ClickHouseConfig, "clickhouseUrl"> &
  Partial<ClickHouseConfig>;

export async function clickhouseServerCheck({
  clickhouseUrl,
  clickhouseTlsCa: ca,
}: ClickHouseServer): Promise<Finding> {
  return await checkUrl(clickhouseUrl, ca ? { ca: ca() } : {}, {
    what: "clickhouse",
    variable: "CLICKHOUSE_URL",
    caVariable: "CLICKHOUSE_TLS_CA",
  });
}

export async function registryServerCheck(
  url: string,
  config: RegistryAddress,
): Promise<Finding> {
  return await checkUrl(url, registryTlsOf(config), {
    what: "schema registry",
    variable: "SCHEMA_REGISTRY_URL",
    caVariable: "SCHEMA_REGISTRY_TLS_CA",
  });
}

async function checkUrl(
  text: string,
  tls: SecureContextOptions,
  named: { what: string; variable: string; caVariable: string },
): Promise<Finding> {
  const { protocol, hostname, port } = new URL(text);
  const isTls = protocol === "https:";
  const at = `${hostname}:${port || (isTls ? "443" : "80")}`;
  return await checkServer({
    ...named,
    check: `${named.what} ${at}`,
    ...hostAndPort(at),
    tls: isTls ? tls : null,
  });
}

async function checkServer(server: Server): Promise<Finding> {
  const { check, host, port, tls, variable, caVariable } = server;
  try {
    if (isIP(host) === 0) await lookup(host);
  } catch (error) {
    return failed(
      check,
      `its name cannot be resolved: ${reasonOf(error)}`,
      `Correct ${variable}, or this machine's DNS.`,
      EXIT.unreachable,
    );
  }
  try {
    if (tls === null) {
      (await opened(connect({ host, port }), "connect")).destroy();
      return fine(check, "its port is open");
    }
    const socket = await opened(
      connectTls({ host, port, ...serverName(host), ...tls }),
      "secureConnect",
    );
    const ends = firstEnd(socket);
    socket.destroy();
    return judgeEnd(check, ends, Date.now());
  } catch (error) {
    return failed(
      check,
      reasonOf(error),
      tls === null
        ? "Is it running, and is the port open from here?"
        : `Is ${caVariable} the authority of this certificate, and does this port speak TLS? See docs/security.md.`,
      EXIT.unreachable,
    );
  }
}

/** `ends` and `now` in epoch milliseconds. */
export function judgeEnd(check: string, ends: number, now: number): Finding {
  const date = new Date(ends).toISOString().slice(0, 10);
  const days = Math.floor((ends - now) / DAY_MS);
  return days < ENDS_SOON_DAYS
    ? warning(
        check,
        `its certificate, or one of its issuers', ends in ${counted(days, "day")}, on ${date}`,
        "Renew the server's certificate, with its chain.",
      )
    : fine(check, `TLS, certificate until ${date}`);
}

async function opened<S extends Socket | TLSSocket>(
  socket: S,
  event: "connect" | "secureConnect",
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.setTimeout(WITHIN_MS, () =>
    reject(new Error(`no answer within ${WITHIN_MS / 1000} s`)),
  );
  socket.once(event, resolve).on("error", reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

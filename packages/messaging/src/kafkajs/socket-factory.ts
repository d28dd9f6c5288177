/** Makes the sockets of kafkajs clients, and refuses them to silent brokers (docs/kafkajs.md, "A silent broker"). */
import { connect as connectPlain, Socket, type OnReadOpts } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { ISocketFactory } from "kafkajs";
import {
  hostAndPort,
  serverName,
  withoutBrackets,
  type Log,
} from "@postrider/runtime";
import { readingAnswers } from "./answer-reader.ts";
import { isAnswering } from "./broker-question.ts";
import { onLateAnswer } from "./patches/request-queue.ts";
import { refusal, SilentBrokers } from "./silent-brokers.ts";

/** What the clients of this process that were given the same brokers share. */
interface Shared {
  readonly silent: SilentBrokers;
  /** How the last connection was opened; kafkajs tells it only then. */
  tls: object | undefined;
  /** Called with each new TLS connection. */
  connecting: (socket: TLSSocket) => void;
}

/** By the brokers that the clients were given. */
const sharedOf = new Map<string, Shared>();

/** A client that starts while a broker is silent need not find that out by itself: clients that are given the same brokers share it. */
export function socketFactoryFor(
  brokers: readonly string[],
  log: Log,
): ISocketFactory {
  const shared = sharedBy(brokers, log);
  return ({ host, port, ssl, onConnect }) => {
    // kafkajs types it loosely; the value is what `tls.connect` takes.
    shared.tls = ssl as object | undefined;
    const broker = `${host}:${port}`;
    // kafkajs adds its listeners before the error is emitted.
    if (shared.silent.isSilent(broker))
      return new Socket().destroy(refusal(broker));
    const to = { host, port, tls: shared.tls, onConnect };
    const socket = readingAnswers((onread) => open({ ...to, onread }));
    if (socket instanceof TLSSocket) shared.connecting(socket);
    shared.silent.opened(broker, socket);
    return socket;
  };
}

/** `connecting` is called with each new TLS connection to the brokers of clients that are given these. One listener at a time. */
export function onTlsConnection(
  brokers: readonly string[],
  log: Log,
  connecting: (socket: TLSSocket) => void,
): void {
  sharedBy(brokers, log).connecting = connecting;
}

function sharedBy(brokers: readonly string[], log: Log): Shared {
  const key = brokers.join();
  const known = sharedOf.get(key);
  if (known !== undefined) return known;
  const ask = (broker: string): Promise<boolean> => {
    const { tls } = made;
    return isAnswering((onConnect) =>
      open({ ...hostAndPort(broker), tls, onConnect }),
    );
  };
  const silent = new SilentBrokers({ brokers, ask, log });
  const made: Shared = {
    silent,
    tls: undefined,
    connecting: () => undefined,
  };
  sharedOf.set(key, made);
  onLateAnswer((broker) => silent.late(broker));
  return made;
}

/** kafkajs sets keep-alive but leaves Nagle's algorithm on, for which a small commit would wait (docs/kafkajs.md, "Timers and sockets"). */
function open(to: {
  host: string;
  port: number;
  tls: object | undefined;
  onConnect: () => void;
  onread?: OnReadOpts;
}): Socket {
  const { port, tls, onConnect, onread } = to;
  const host = withoutBrackets(to.host);
  const where = { host, port, ...(onread && { onread }) };
  const socket = tls
    ? connectTls({ ...where, ...serverName(host), ...tls }, onConnect)
    : connectPlain(where, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
}

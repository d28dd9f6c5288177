import {
  MISBEHAVIOURS,
  startRawReceiver,
  type MisbehaviourName,
} from "@postrider/testkit";
import { witness, type Receiver, type ReceivedRequest } from "./receiver.ts";

export interface HostileReceiverOptions {
  /** The address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly behaviour: MisbehaviourName;
  /** The secrets that may have signed; empty: signatures are not checked. */
  readonly secrets: readonly string[];
  /** Called for each connection, from 1: several behaviours end it before a request could be read. */
  readonly onConnection: (number: number) => void;
  /** Called with each whole request. */
  readonly onRequest: (request: ReceivedRequest) => void;
}

/** A server that takes webhooks and misbehaves as told, over https if the behaviour is one of TLS. Rejects when the port is taken. */
export async function startHostileReceiver(
  options: HostileReceiverOptions,
): Promise<Receiver> {
  const { behave, tls } = MISBEHAVIOURS[options.behaviour];
  const seen = witness(options.secrets);
  const receiver = await startRawReceiver(behave, {
    ...(options.host !== undefined && { host: options.host }),
    port: options.port,
    tls: tls?.(),
    keepsBytes: false,
    onConnection: options.onConnection,
    onRequest: (bytes) =>
      options.onRequest(seen({ at: Date.now(), ...parts(bytes) })),
  });
  return { url: receiver.url, stop: () => receiver.close() };
}

/** Takes a request apart. Header values that are repeated are joined by `, `, as the other receiver's are. */
function parts(bytes: Buffer) {
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] =
      headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { method, path, headers, body: bytes.subarray(end + 4) };
}

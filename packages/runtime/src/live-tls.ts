/** TLS whose files may change: each new connection is made with what is in them now. */
import { X509Certificate } from "node:crypto";
import { Agent, type AgentOptions } from "node:https";
import { createSecureContext, TLSSocket, type SecureContext } from "node:tls";
import { lastGood, type KeptSecret } from "./last-good.ts";

/** What `tls.createSecureContext` takes, as texts. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** The context as the files are now; made anew only when a text has changed. */
export function liveSecureContext(
  read: () => TlsTexts,
  kept: KeptSecret,
): () => SecureContext {
  let last: { readonly text: string; readonly context: SecureContext } | null =
    null;
  return lastGood(() => {
    const tls = read();
    const text = JSON.stringify(tls);
    if (last?.text !== text) last = { text, context: secureContextOf(tls) };
    return last.context;
  }, kept);
}

/** As `createSecureContext`, which takes an authority that it cannot read for none: here it throws. */
export function secureContextOf(tls: TlsTexts): SecureContext {
  if (tls.ca !== undefined) {
    const authorities = certificatesIn(tls.ca);
    if (authorities.length === 0) throw new Error("no certificate is in it");
    for (const authority of authorities) void new X509Certificate(authority);
  }
  return createSecureContext(tls);
}

/** The certificates of a PEM text, each as a text of its own. */
export function certificatesIn(pem: string): string[] {
  return pem
    .split(/(?=-----BEGIN )/)
    .filter((part) => /^-----BEGIN [A-Z\d ]*CERTIFICATE-----/.test(part));
}

/** An agent of node:https for such a context. Connections that are open stay open. */
export class LiveTlsAgent extends Agent {
  readonly #context: () => SecureContext;
  readonly #connecting: (socket: TLSSocket) => void;

  /** `connecting` is called with each new connection. */
  constructor(
    context: () => SecureContext,
    options: AgentOptions,
    connecting: (socket: TLSSocket) => void = () => undefined,
  ) {
    // A resumed session is not verified again: it would outlive the authority that it was made with.
    super({ ...options, maxCachedSessions: 0 });
    this.#context = context;
    this.#connecting = connecting;
  }

  override createConnection(
    ...[options, ...rest]: Parameters<Agent["createConnection"]>
  ): ReturnType<Agent["createConnection"]> {
    // What the agent is given goes to `tls.connect`, although its type is that of a request.
    const withContext = { ...options, secureContext: this.#context() };
    const socket = super.createConnection(withContext, ...rest);
    if (socket instanceof TLSSocket) this.#connecting(socket);
    return socket;
  }
}

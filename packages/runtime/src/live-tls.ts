/** TLS whose files may change: each new connection is made with what is in them now. */
import { X509Certificate } from "node:crypto";
import { Agent, type AgentOptions } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
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
    const authorities = tls.ca
      .split(/(?=-----BEGIN )/)
      .filter((part) => part.startsWith("-----BEGIN "));
    if (authorities.length === 0) throw new Error("no certificate is in it");
    for (const authority of authorities) void new X509Certificate(authority);
  }
  return createSecureContext(tls);
}

/** An agent of node:https for such a context. Connections that are open stay open. */
export class LiveTlsAgent extends Agent {
  readonly #context: () => SecureContext;

  constructor(context: () => SecureContext, options: AgentOptions) {
    // A resumed session is not verified again: it would outlive the authority that it was made with.
    super({ ...options, maxCachedSessions: 0 });
    this.#context = context;
  }

  override createConnection(
    ...[options, ...rest]: Parameters<Agent["createConnection"]>
  ): ReturnType<Agent["createConnection"]> {
    // What the agent is given goes to `tls.connect`, although its type is that of a request.
    const withContext = { ...options, secureContext: this.#context() };
    return super.createConnection(withContext, ...rest);
  }
}

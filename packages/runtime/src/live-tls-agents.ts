/** Agents of node:https for a server whose TLS files may change. */
import { Agent, type AgentOptions } from "node:https";
import { TLSSocket, type SecureContext } from "node:tls";
import { certificateEnds, type TlsServer } from "./certificate-ends.ts";
import type { Meter } from "./effects.ts";
import type { KeptSecret } from "./last-good.ts";
import { liveSecureContext, type TlsTexts } from "./live-tls.ts";

/** Makes agents for the server: each new connection is made with what `read` gives then. With a meter the ends of certificates are measured. */
export function liveTlsAgents(
  server: TlsServer,
  read: () => TlsTexts,
  { meter, ...kept }: KeptSecret & { readonly meter: Meter | undefined },
): (options: AgentOptions) => Agent {
  const context = liveSecureContext(read, kept);
  const ends = meter && certificateEnds(meter);
  ends?.given(server, read);
  return (options) =>
    new LiveTlsAgent(context, options, (socket) =>
      ends?.connecting(server, socket),
    );
}

/** Connections that are open stay open when a file changes. */
class LiveTlsAgent extends Agent {
  readonly #context: () => SecureContext;
  readonly #connecting: (socket: TLSSocket) => void;

  /** `connecting` is called with each new connection. */
  constructor(
    context: () => SecureContext,
    options: AgentOptions,
    connecting: (socket: TLSSocket) => void,
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

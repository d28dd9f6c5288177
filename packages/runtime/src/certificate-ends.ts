/** When the certificates of this process's connections end, as a metric. Files are read again at each scrape, because they may have been replaced. */
import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { Meter } from "./effects.ts";
import { certificatesIn, type TlsTexts } from "./live-tls.ts";

/** What we connect to. */
export type TlsServer = "kafka" | "clickhouse" | "registry";

export interface CertificateEnds {
  /** `read` gives the server's authorities and our own certificate for it, as they are now. It may throw while a file is replaced. */
  given(server: TlsServer, read: () => TlsTexts): void;
  /** Call it with each new connection to the server. The server's certificate counts once it is verified: while a connection to that address is open, and after that until there is a new connection to the server. */
  connecting(server: TlsServer, socket: TLSSocket): void;
}

/** A process has one meter, and several parts that connect. */
const madeFor = new WeakMap<Meter, CertificateEnds>();

/** Always the same of a meter. */
export function certificateEnds(meter: Meter): CertificateEnds {
  const known = madeFor.get(meter) ?? create(meter);
  madeFor.set(meter, known);
  return known;
}

/** An address of a server, with the certificate that it showed last. */
interface Peer {
  readonly server: TlsServer;
  endsAt: number;
  connections: number;
}

function create(meter: Meter): CertificateEnds {
  const readers = new Map<TlsServer, () => TlsTexts>();
  const peers = new Map<string, Peer>();
  meter.gauge(
    "postrider_certificate_expiry_timestamp_seconds",
    "When a certificate ends, as Unix time; where KAFKA_TLS is true, or TLS files are set for another server.",
    ["server", "certificate"],
    (gauge) => {
      const set = (server: TlsServer, certificate: string, ends: number[]) => {
        const known = ends.filter(Number.isFinite);
        if (known.length > 0)
          gauge.set(Math.min(...known) / 1000, { server, certificate });
      };
      for (const [server, read] of readers) {
        const { authority, client } = endsOf(read);
        // As long as one is valid, the others may be those of before or after a rotation.
        if (authority.length > 0)
          set(server, "authority", [Math.max(...authority)]);
        if (client.length > 0) set(server, "client", client);
      }
      for (const [server, of] of Map.groupBy(
        peers.values(),
        (peer) => peer.server,
      ))
        set(
          server,
          "server",
          of.map(({ endsAt }) => endsAt),
        );
    },
  );
  return {
    given: (server, read) => void readers.set(server, read),
    connecting(server, socket) {
      socket.once("secureConnect", () => {
        const endsAt = firstEnd(socket);
        const key = `${server} ${socket.remoteAddress}:${socket.remotePort}`;
        // Connections to the registry last milliseconds, and are hardly ever open when metrics are read.
        for (const [other, peer] of peers)
          if (peer.server === server && peer.connections === 0)
            peers.delete(other);
        const peer = peers.get(key) ?? { server, endsAt, connections: 0 };
        peer.endsAt = endsAt;
        peer.connections++;
        peers.set(key, peer);
        socket.once("close", () => peer.connections--);
      });
    },
  };
}

/** Epoch milliseconds; empty while the texts cannot be read, so that the gauge keeps what was set. */
function endsOf(read: () => TlsTexts): {
  readonly authority: number[];
  readonly client: number[];
} {
  try {
    const { ca = "", cert = "" } = read();
    return {
      authority: certificatesIn(ca).map(endOf),
      client: certificatesIn(cert).map(endOf),
    };
  } catch {
    return { authority: [], client: [] };
  }
}

function endOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

/** When the first of the server's certificate and its issuers' ends, up to the authority that we trust: epoch milliseconds. For a socket that is securely connected. */
export function firstEnd(socket: TLSSocket): number {
  const ends: number[] = [];
  const seen = new Set<string>();
  let next: DetailedPeerCertificate | undefined =
    socket.getPeerCertificate(true);
  // The last one's issuer is itself.
  while (next !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    ends.push(Date.parse(next.valid_to));
    next = next.issuerCertificate;
  }
  return Math.min(...ends);
}

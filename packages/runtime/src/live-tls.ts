/** TLS whose files may change: each new connection is made with what is in them now. */
import { X509Certificate } from "node:crypto";
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

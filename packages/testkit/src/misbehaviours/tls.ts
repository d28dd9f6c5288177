/** Endpoints that are called by https and whose TLS is wrong. Their certificates are made when they start, and nobody trusts those. */
import { makeCertificate } from "../certificate.ts";
import { saying, silence, OK, type Misbehaviour } from "../misbehaviour.ts";

const here = ["localhost", "127.0.0.1"];
const HOUR_MS = 3_600_000;

export const TLS = {
  "tls-self-signed": {
    does: "has a certificate that it signed itself",
    outcome: "tls_error",
    behave: saying(OK),
    tls: () => makeCertificate({ hosts: here }),
  },
  "tls-expired": {
    does: "has a certificate that expired an hour ago (and that it signed itself)",
    outcome: "tls_error",
    behave: saying(OK),
    tls: () =>
      makeCertificate({
        hosts: here,
        notBefore: Date.now() - 2 * HOUR_MS,
        notAfter: Date.now() - HOUR_MS,
      }),
  },
  "tls-wrong-host": {
    does: "has a certificate for other.example.com (and that it signed itself)",
    outcome: "tls_error",
    behave: saying(OK),
    tls: () => makeCertificate({ hosts: ["other.example.com"] }),
  },
  "tls-1.0": {
    does: "speaks TLS 1.0 and nothing newer",
    outcome: "tls_error",
    behave: saying(OK),
    tls: () => ({
      ...makeCertificate({ hosts: here }),
      minVersion: "TLSv1",
      maxVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    }),
  },
  "tls-client-certificate": {
    does: "wants a certificate of its client",
    outcome: "tls_error",
    behave: saying(OK),
    tls: () => ({
      ...makeCertificate({ hosts: here }),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  },
  "tls-stall": {
    does: "accepts the connection and never answers the TLS handshake",
    outcome: "timeout",
    behave: silence,
    tls: () => "stall",
  },
} as const satisfies Record<string, Misbehaviour>;

import { expect, test } from "@jest/globals";
import {
  BlockedError,
  classifyError,
  DeadlineError,
} from "./classify-failure.ts";

const of = (code: string, fields: object = {}): unknown =>
  Object.assign(new Error(`connect ${code} 10.1.2.3:443`), { code, ...fields });

test.each([
  ["ECONNREFUSED", "connection_refused"],
  ["EHOSTUNREACH", "connection_refused"],
  ["ENETUNREACH", "connection_refused"],
  ["ECONNRESET", "connection_reset"],
  ["EPIPE", "connection_reset"],
  ["ETIMEDOUT", "timeout"],
  ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
  ["ENOTFOUND", "dns_error"],
  ["EAI_AGAIN", "dns_error"],
  ["ESERVFAIL", "dns_error"],
  ["CERT_HAS_EXPIRED", "tls_error"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls_error"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls_error"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls_error"],
  ["EPROTO", "tls_error"],
  ["UND_ERR_HEADERS_OVERFLOW", "response_too_large"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "protocol_error"],
  ["UND_ERR_INVALID_ARG", "protocol_error"],
  ["ERR_ASSERTION", "protocol_error"],
  ["ESOMETHING", "connection_closed"],
])("%s is %s, and its text holds no address", (code, outcome) => {
  const failure = classifyError(of(code));

  expect(failure).toMatchObject({ kind: "outcome", outcome, errorCode: code });
  expect(
    code === "ERR_ASSERTION" ||
      code === "UND_ERR_INVALID_ARG" ||
      !failure.error.includes("10.1.2.3"),
  ).toBe(true);
});

test.each(["EMFILE", "ENFILE", "ENOBUFS", "EADDRNOTAVAIL"])(
  "%s is ours, not the endpoint's",
  (code) => {
    expect(classifyError(of(code, { address: "10.1.2.3" }))).toMatchObject({
      kind: "local_fault",
      errorCode: code,
    });
  },
);

test.each(["ECONNREFUSED", "EACCES", "ETIMEOUT", "ENOTFOUND"])(
  "%s of a look-up is a dns_error",
  (code) => {
    expect(classifyError(of(code, { syscall: "queryAaaa" }))).toMatchObject({
      outcome: "dns_error",
      errorCode: code,
    });
  },
);

test("EADDRNOTAVAIL for an IPv6 address spends an attempt: the host has no IPv6", () => {
  expect(
    classifyError(of("EADDRNOTAVAIL", { address: "2606:4700::1111" })),
  ).toMatchObject({
    outcome: "connection_refused",
  });
});

test("if several addresses failed, a shortage decides, otherwise the first error", () => {
  const both = (...errors: unknown[]) =>
    Object.assign(new AggregateError(errors), { code: "ECONNREFUSED" });

  expect(classifyError(both(of("ECONNREFUSED"), of("EMFILE"))).kind).toBe(
    "local_fault",
  );
  expect(
    classifyError(both(of("ENETUNREACH"), of("ECONNRESET"))),
  ).toMatchObject({ outcome: "connection_refused" });
});

test("thrown values that are not errors, and our own errors, are classified too", () => {
  expect(classifyError("odd")).toMatchObject({ outcome: "connection_closed" });
  expect(classifyError(new BlockedError("x"))).toMatchObject({
    outcome: "blocked",
  });
  expect(classifyError(new DeadlineError("x"))).toMatchObject({
    outcome: "timeout",
  });
});

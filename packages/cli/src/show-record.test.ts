import { expect, test } from "@jest/globals";
import { showable, showRecord } from "./show-record.ts";

test("times become RFC 3339, bytes text or base64, and sealed secrets are left out", () => {
  const shown = showable(
    {
      startedAt: 0,
      nextAttemptAt: null,
      durationMs: 5,
      payload: Buffer.from("{}"),
      destination: { url: "https://example.com", secret: "whsec_x" },
      responseBody: Buffer.of(0xff),
      secrets: [{ id: "sec_1", ciphertext: Buffer.from("x"), createdAt: 1 }],
    },
    "",
  );

  expect(shown).toEqual({
    startedAt: "1970-01-01T00:00:00.000Z",
    nextAttemptAt: null,
    durationMs: 5,
    payload: "{}",
    destination: { url: "https://example.com", secret: "[redacted]" },
    responseBody: "base64:/w==",
    secrets: [
      {
        id: "sec_1",
        ciphertext: "[sealed]",
        createdAt: "1970-01-01T00:00:00.001Z",
      },
    ],
  });
});

test("a time beyond the range of a date stays a number", () => {
  expect(showable({ createdAt: 1e300 }, "")).toEqual({ createdAt: 1e300 });
});

test("a record's timestamp beyond the range of a date is shown as a number", () => {
  const raw = {
    topic: "postrider.events",
    partition: 0,
    offset: 0,
    timestamp: 9e15,
    key: null,
    value: null,
    headers: {},
  };

  const { timestamp } = showRecord(raw, { value: null, error: null });

  expect(timestamp).toBe("9000000000000000");
});

test("a record is shown with its coordinates, and its key and headers as text", () => {
  const raw = {
    topic: "postrider.events",
    partition: 2,
    offset: 7,
    timestamp: 0,
    key: Buffer.from("acme:1"),
    value: null,
    headers: {
      ce_id: Buffer.from("1"),
      many: [Buffer.from("a"), Buffer.from("b")],
    },
  };

  expect(showRecord(raw, { value: null, error: null })).toEqual({
    topic: "postrider.events",
    partition: 2,
    offset: 7,
    timestamp: "1970-01-01T00:00:00.000Z",
    key: "acme:1",
    headers: { ce_id: "1", many: ["a", "b"] },
    value: null,
    error: null,
  });
});

test("values of headers that are secrets are not shown, of records, events and endpoints alike", () => {
  const secret = { Authorization: "Bearer hush", "x-team": "orders" };
  const raw = {
    topic: "postrider.dead-letters",
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    value: null,
    headers: { authorization: [Buffer.from("hush"), Buffer.from("hush")] },
  };
  const value = {
    headers: secret,
    delivery: { headers: secret },
    rawHeaders: { "x-api-key": Buffer.from("hush"), a: Buffer.from("b") },
  };

  const shown = showRecord(raw, { value, error: null });

  const redacted = { Authorization: "[redacted]", "x-team": "orders" };
  expect(shown.headers).toEqual({ authorization: "[redacted]" });
  expect(shown.value).toEqual({
    headers: redacted,
    delivery: { headers: redacted },
    rawHeaders: { "x-api-key": "[redacted]", a: "b" },
  });
});

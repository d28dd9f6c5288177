import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import type {
  Attempt,
  DeadLetter,
  Delivery,
  Signal,
  WebhookEvent,
} from "@postrider/core";
import {
  aDelivery,
  anEvent,
  anInlineDestination,
  aSealedSecret,
  aSignal,
} from "@postrider/testkit";
import avro from "avsc";
import fc from "fast-check";
import { createAvroCodec, framingOf, type WriterSchema } from "./avro-codec.ts";
import { fingerprintOf, parseWriterSchema } from "./avro-types.ts";
import type { OutRecord, RawRecord, TopicValues } from "../record.ts";
import { UnfitValueError } from "../unfit-value-error.ts";
import { readSchemaFiles, type RecordName } from "./schema-files.ts";

const schemas = readSchemaFiles();
const TOPICS = [
  "events",
  "deliveries",
  "dead-letters",
  "attempts",
  "intake",
  "signals",
  "audit",
  "endpoints",
  "control",
  "retry.1s",
] as const satisfies (keyof TopicValues)[];

interface Given {
  readonly schemas?: ReadonlyMap<RecordName, string>;
  readonly byFingerprint?: (fingerprint: string) => WriterSchema;
  readonly byId?: (id: number) => WriterSchema;
  readonly registryId?: number;
}

const unknown = (): WriterSchema => ({ kind: "unknown" });

function codecOf(given: Given = {}) {
  return createAvroCodec({
    schemas: given.schemas ?? schemas,
    writers: {
      byFingerprint: given.byFingerprint ?? unknown,
      byId: given.byId ?? unknown,
    },
    registryIdOf: () => given.registryId ?? null,
  });
}

function rawOf(value: Buffer | null): RawRecord {
  const place = { topic: "t.events", partition: 0, offset: 0, timestamp: 0 };
  return { ...place, key: null, value, headers: {} };
}

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 2000 });
const int = fc.integer();
const time = fc.integer({ min: 0, max: 2 ** 53 - 2 });
const dictionary = fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), text, {
  maxKeys: 5,
  noNullPrototype: true,
});
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary);

const delivery: fc.Arbitrary<Delivery> = fc.record({
  deliveryId: text,
  webhookId: text,
  tenantId: text,
  eventId: text,
  eventType: text,
  endpointId: text,
  endpointVersion: time,
  attemptNumber: int,
  step: int,
  trigger: text,
  replayId: orNull(text),
  occurredAt: orNull(time),
  receivedAt: time,
  contentType: text,
  payload: bytes,
  headers: dictionary,
  traceparent: orNull(text),
  tracestate: orNull(text),
  inline: orNull(
    fc.record({
      url: text,
      secrets: fc.array(
        fc.record({
          id: text,
          kid: text,
          ciphertext: bytes,
          createdAt: time,
          expiresAt: orNull(time),
        }),
        { maxLength: 3 },
      ),
      maxAttempts: int,
      timeoutMs: int,
      retryDelaysMs: orNull(fc.array(time, { maxLength: 3 })),
      maxAgeMs: orNull(time),
      notRetryableStatuses: fc.array(int, { maxLength: 3 }),
    }),
  ),
  notBefore: orNull(time),
  expiresAt: orNull(time),
  nextAttemptAt: orNull(time),
  slotAt: orNull(time),
  deferralReason: orNull(text),
  deferredMs: time,
  endpointUnknownSince: orNull(time),
  lastAttempt: orNull(
    fc.record({
      attemptNumber: int,
      outcome: text,
      statusCode: orNull(int),
      errorCode: orNull(text),
      durationMs: int,
    }),
  ),
  sourceTopic: text,
  sourcePartition: int,
  sourceOffset: fc.integer({ min: -1, max: 2 ** 53 - 2 }),
});

const deadLetter: fc.Arbitrary<DeadLetter> = fc.record({
  reason: text,
  detail: text,
  field: orNull(text),
  rule: orNull(text),
  deadAt: time,
  stage: text,
  tenantId: orNull(text),
  endpointId: orNull(text),
  deliveryId: orNull(text),
  eventId: orNull(text),
  eventType: orNull(text),
  receivedAt: orNull(time),
  attempts: int,
  step: int,
  lastOutcome: orNull(text),
  lastStatusCode: orNull(int),
  recordTopic: text,
  recordPartition: int,
  recordOffset: time,
  delivery: orNull(delivery),
  rawKey: orNull(bytes),
  rawValue: orNull(bytes),
  rawHeaders: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), bytes, {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  rawKid: orNull(text),
  rawBytes: int,
  sourceTopic: text,
  sourcePartition: int,
  sourceOffset: time,
});

const signal: Signal = {
  kind: "gone",
  endpointId: "ep_1",
  tenantId: "acme",
  endpointVersion: 3,
  at: 1_790_000_000_000,
  detail: "410",
  deliveryId: null,
};

/** Makes bytes comparable, whatever class (Buffer or Uint8Array) holds them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, plain(each)]),
  );
}

/** The value with Buffers for all its bytes: avsc itself writes nothing else. */
function withBuffers(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(withBuffers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withBuffers(each)]),
  );
}

test("an entry of a map keeps its name, even one that every object has, like `__proto__`", () => {
  const headers = Object.fromEntries([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  const codec = codecOf();

  const value = codec.encode({
    topic: "events",
    key: null,
    value: anEvent({ headers }),
  });
  const decoded = codec.decoderOf("events")(rawOf(value));

  expect(decoded).toMatchObject({ kind: "decoded" });
  if (decoded.kind !== "decoded") return;
  expect(Object.entries(decoded.value.headers)).toEqual(
    Object.entries(headers),
  );
});

describe("what is encoded", () => {
  test("comes back the same, with nested records and bytes of any class", () => {
    const codec = codecOf();
    const decode = codec.decoderOf("dead-letters");

    fc.assert(
      fc.property(deadLetter, (value) => {
        const encoded = codec.encode({
          topic: "dead-letters",
          key: null,
          value,
        });

        const decoded = decode(rawOf(encoded));

        expect(decoded.kind).toBe("decoded");
        expect(plain(decoded.kind === "decoded" && decoded.value)).toEqual(
          plain(value),
        );
      }),
    );
  });

  test("is what avsc writes, behind the header", () => {
    const plainType = avro.Type.forSchema(
      JSON.parse(schemas.get("DeadLetter")!) as avro.Schema,
    );
    const codec = codecOf();

    fc.assert(
      fc.property(deadLetter, (value) => {
        const key = null;
        const encoded = codec.encode({ topic: "dead-letters", key, value });

        const expected = plainType.toBuffer(withBuffers(value));
        expect(encoded.subarray(10).equals(expected)).toBe(true);
      }),
    );
  });

  test("is not changed by what is encoded later, nor by a value that does not fit", () => {
    const [codec, another] = [codecOf(), codecOf()];
    const sizes = fc.oneof(
      { weight: 9, arbitrary: fc.nat(9_000) },
      fc.nat(200_000),
    );
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 60 }), (all) => {
        const values = all.map((bytes, i) =>
          anEvent({ id: `evt_${i}`, payload: Buffer.alloc(bytes, i) }),
        );
        const encode = (value: WebhookEvent, by = codec): Buffer =>
          by.encode({ topic: "events", key: null, value });

        const encoded = values.map((value) => {
          const bytes = encode(value);
          expect(() =>
            encode({ ...value, occurredAt: "now" as unknown as number }),
          ).toThrow(UnfitValueError);
          return bytes;
        });

        for (const [i, value] of values.entries())
          expect(encoded[i]!.equals(encode(value, another))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test("in pieces is the same bytes, of which long ones are the value's own", () => {
    const codec = codecOf();
    const sizes = fc.oneof(fc.nat(9_000), fc.constantFrom(4_095, 4_096));
    fc.assert(
      fc.property(deadLetter, sizes, sizes, (letter, raw, payload) => {
        const value = {
          ...letter,
          rawValue: Buffer.alloc(raw, 1),
          delivery: letter.delivery && {
            ...letter.delivery,
            payload: Buffer.alloc(payload, 2),
          },
        };
        const record = { topic: "dead-letters", key: null, value } as const;

        const pieces = [codec.encodeInPieces(record)].flat();

        expect(Buffer.concat(pieces).equals(codec.encode(record))).toBe(true);
        const long = [value.delivery?.payload, value.rawValue].filter(
          (each) => each !== undefined && each.length >= 4_096,
        );
        expect(long.every((each) => pieces.some((one) => one === each))).toBe(
          true,
        );
        expect(pieces.length).toBeLessThanOrEqual(2 * long.length + 1);
      }),
      { numRuns: 50 },
    );
  });

  test("comes back the same when it is larger than the memory that values share", () => {
    const codec = codecOf();
    const value = {
      ...fc.sample(delivery, 1)[0]!,
      payload: Buffer.alloc(300_000, 7),
    };

    const encoded = codec.encode({ topic: "retry.1s", key: null, value });

    const decoded = codec.decoderOf("retry.1s")(rawOf(encoded));
    expect(decoded.kind === "decoded" && decoded.value.payload.length).toBe(
      300_000,
    );
  });

  test("begins with C3 01 and the fingerprint, little endian", () => {
    const fingerprint = fingerprintOf(
      parseWriterSchema(schemas.get("Signal")!),
    );

    const encoded = codecOf().encode({
      topic: "signals",
      key: null,
      value: signal,
    });

    expect(encoded.subarray(0, 10).toString("hex")).toBe(
      `c301${Buffer.from(fingerprint, "hex").reverse().toString("hex")}`,
    );
  });

  test("begins with 0 and the registry's id where there is one", () => {
    const codec = codecOf({
      registryId: 77,
      byId: () => ({ kind: "found", json: schemas.get("Signal")! }),
    });

    const encoded = codec.encode({
      topic: "signals",
      key: null,
      value: signal,
    });

    expect(encoded.subarray(0, 5).toString("hex")).toBe("000000004d");
    const decoded = codec.decoderOf("signals")(rawOf(encoded));
    expect(decoded.kind === "decoded" && plain(decoded.value)).toEqual(signal);
  });

  test("is passed on when it is encoded already", () => {
    const value = Buffer.from("as it is");

    expect(codecOf().encode({ topic: "signals", key: null, value })).toBe(
      value,
    );
  });

  test.each([
    ["kind", "string", { kind: 410 }],
    ["endpointVersion", "long", { endpointVersion: 1.5 }],
    ["endpointVersion", "long", { endpointVersion: 2 ** 60 }],
    ["detail", "string", { detail: { secret: "whsec_x" } }],
    ["", "Signal", null],
  ] as const)(
    "is refused by its topic, the field %p and the rule %p where it does not fit its schema",
    (field, rule, wrong) => {
      // A value that the type forbids, but that a bug may produce.
      const value = (wrong && { ...aSignal(), ...wrong }) as unknown as Signal;

      const refusal = refusalOf({ topic: "signals", key: null, value });

      expect(refusal).toMatchObject({ topic: "signals", field, rule });
      expect(refusal.message).toContain(rule);
      // As a log line shows the error: it must not contain the value.
      expect(inspect(refusal, { depth: 9 })).not.toContain("whsec_x");
      expect(refusal.record.value).toBe(value);
    },
  );

  test("is refused with the path of what does not fit, however deep it is", () => {
    const secrets = [{ ...aSealedSecret(), kid: 7 }];
    const inline = { ...anInlineDestination(), secrets };
    const value = { ...aDelivery(), inline } as unknown as Delivery;

    expect(refusalOf({ topic: "retry.1s", key: null, value })).toMatchObject({
      field: "inline.secrets[0].kid",
      rule: "string",
    });
  });

  test("is refused with all branches of a union if none fits; bytes of any class fit bytes", () => {
    const value = {
      ...aDelivery({ payload: new Uint8Array([1, 2]) }),
      occurredAt: "yesterday",
    } as unknown as Delivery;

    expect(refusalOf({ topic: "deliveries", key: null, value })).toMatchObject({
      field: "occurredAt",
      rule: "null or long",
    });
  });
});

/** The error of a value that cannot be encoded. */
function refusalOf(record: OutRecord): UnfitValueError {
  try {
    codecOf().encode(record);
  } catch (error) {
    if (error instanceof UnfitValueError) return error;
    throw error;
  }
  throw new Error("it was encoded");
}

describe("what cannot be trusted", () => {
  const header = (topic: keyof TopicValues): Buffer => {
    const name = topic === "signals" ? "Signal" : "DeadLetter";
    const fingerprint = fingerprintOf(parseWriterSchema(schemas.get(name)!));
    return Buffer.concat([
      Buffer.of(0xc3, 0x01),
      Buffer.from(fingerprint, "hex").reverse(),
    ]);
  };

  test.each(TOPICS)("random bytes on %s never throw", (topic) => {
    const decode = codecOf().decoderOf(topic);
    const framed = fc
      .tuple(
        fc.constantFrom(Buffer.alloc(0), Buffer.of(0), Buffer.of(0xc3, 0x01)),
        fc.uint8Array({ maxLength: 200 }),
      )
      .map((parts) => Buffer.concat(parts));

    fc.assert(
      fc.property(framed, (value) => {
        expect(decode(rawOf(value)).kind).not.toBe("decoded");
      }),
      { numRuns: 300 },
    );
  });

  test("random bytes behind a right header never throw", () => {
    const decode = codecOf().decoderOf("dead-letters");

    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (value) => {
        const decoded = decode(
          rawOf(Buffer.concat([header("dead-letters"), value])),
        );
        expect(["unreadable", "decoded"]).toContain(decoded.kind);
      }),
      { numRuns: 200 },
    );
  });

  test("a value cut short anywhere is unreadable, and so is one with bytes behind it", () => {
    const codec = codecOf();
    const decode = codec.decoderOf("dead-letters");
    const value = fc.sample(deadLetter, 1)[0]!;
    const encoded = codec.encode({ topic: "dead-letters", key: null, value });

    for (let length = 0; length < encoded.length; length++)
      expect(decode(rawOf(encoded.subarray(0, length))).kind).toBe(
        "unreadable",
      );
    expect(decode(rawOf(Buffer.concat([encoded, Buffer.of(0)]))).kind).toBe(
      "unreadable",
    );
  });

  test.each([
    ["a count of 2^40 items", "8080808080 8040"],
    ["a count of 2^30 items", "8080808008"],
    ["a negative count and a block size below zero", "01ffffff7f"],
    ["a length of 2^31", "8080808010"],
    ["a number that never ends", "ff".repeat(30)],
  ])("%s is unreadable at once", (_what, hex) => {
    const schema = JSON.stringify({
      type: "record",
      name: "Signal",
      namespace: "dev.postrider",
      fields: [
        { name: "numbers", type: { type: "array", items: "int" } },
        { name: "more", type: { type: "array", items: "string" } },
      ],
    });
    const own = new Map(schemas).set("Signal", schema);
    const decode = codecOf({ schemas: own }).decoderOf("signals");
    const fingerprint = Buffer.from(
      fingerprintOf(parseWriterSchema(schema)),
      "hex",
    ).reverse();
    const value = Buffer.concat([
      Buffer.of(0xc3, 0x01),
      fingerprint,
      Buffer.from(hex.replaceAll(" ", ""), "hex"),
    ]);

    expect(decode(rawOf(value)).kind).toBe("unreadable");
  });

  test("a skipped block of negative size cannot read for ever", () => {
    const writer = JSON.stringify({
      ...(JSON.parse(schemas.get("Signal")!) as { fields: unknown[] }),
      fields: [
        { name: "ignored", type: { type: "array", items: "int" } },
        ...(JSON.parse(schemas.get("Signal")!) as { fields: unknown[] }).fields,
      ],
    });
    const decode = codecOf({
      byFingerprint: () => ({ kind: "found", json: writer }),
    }).decoderOf("signals");
    // Count -1, size -2: back to where the block began.
    const value = Buffer.from(`c301${"00".repeat(8)}0103`, "hex");

    expect(decode(rawOf(value)).kind).toBe("unreadable");
  });

  test("a writer's schema whose items take no byte is refused", () => {
    const writer = JSON.stringify({
      ...(JSON.parse(schemas.get("Signal")!) as object),
      fields: [
        { name: "nothing", type: { type: "array", items: "null" } },
        ...(JSON.parse(schemas.get("Signal")!) as { fields: unknown[] }).fields,
      ],
    });
    const decode = codecOf({
      byFingerprint: () => ({ kind: "found", json: writer }),
    }).decoderOf("signals");

    const decoded = decode(
      rawOf(Buffer.from(`c301${"00".repeat(8)}80808080808080`, "hex")),
    );

    expect(decoded.kind).toBe("unreadable");
  });

  test("no value is unreadable", () => {
    expect(codecOf().decoderOf("events")(rawOf(null)).kind).toBe("unreadable");
  });
});

describe("another writer's schema", () => {
  const fields = (JSON.parse(schemas.get("Signal")!) as { fields: object[] })
    .fields;
  const asSchema = (list: readonly object[]): string =>
    JSON.stringify({
      type: "record",
      name: "Signal",
      namespace: "dev.postrider",
      fields: list,
    });
  const newer = asSchema([
    { name: "severity", type: "int", default: 0 },
    ...fields,
  ]);
  const older = asSchema(fields.filter((f) => !("default" in f)));

  test("with a field more, or fields less, is read into ours", () => {
    for (const json of [newer, older]) {
      const writer = codecOf({ schemas: new Map(schemas).set("Signal", json) });
      const encoded = writer.encode({
        topic: "signals",
        key: null,
        value: { ...signal, severity: 3 } as Signal,
      });
      let asked = 0;
      const decode = codecOf({
        byFingerprint(fingerprint) {
          asked += 1;
          expect(fingerprint).toBe(fingerprintOf(parseWriterSchema(json)));
          return { kind: "found", json };
        },
      }).decoderOf("signals");

      const [first, second] = [decode(rawOf(encoded)), decode(rawOf(encoded))];

      const expected =
        json === older ? { ...signal, detail: "", deliveryId: null } : signal;
      expect(first.kind === "decoded" && plain(first.value)).toEqual(expected);
      expect(second.kind).toBe("decoded");
      expect(asked).toBe(1);
    }
  });

  test("that is not known yet makes the record wait, and is asked for again", () => {
    const encoded = codecOf({
      schemas: new Map(schemas).set("Signal", newer),
    }).encode({
      topic: "signals",
      key: null,
      value: { ...signal, severity: 3 } as Signal,
    });
    let answer: WriterSchema = { kind: "unknown" };
    const decode = codecOf({ byFingerprint: () => answer }).decoderOf(
      "signals",
    );

    expect(decode(rawOf(encoded)).kind).toBe("unknown_schema");
    answer = { kind: "found", json: newer };

    expect(decode(rawOf(encoded)).kind).toBe("decoded");
  });

  test("of another record is unreadable, not unknown", () => {
    const codec = codecOf({
      byFingerprint: () => ({ kind: "found", json: schemas.get("Signal")! }),
    });
    const encoded = codec.encode({
      topic: "signals",
      key: null,
      value: signal,
    });

    const decoded = codec.decoderOf("attempts")(rawOf(encoded));

    expect(decoded).toMatchObject({ kind: "unreadable", reason: "unreadable" });
  });

  test("that the registry does not have is a dead letter unknown_schema", () => {
    const decode = codecOf({
      byId: (id) => ({ kind: "absent", detail: `no ${id}` }),
    }).decoderOf("signals");

    expect(decode(rawOf(Buffer.from("000000000502", "hex")))).toEqual({
      kind: "unreadable",
      reason: "unknown_schema",
      detail: "no 5",
    });
  });
});

test("bytes of a decoded value are views of the record, not copies", () => {
  const codec = codecOf();
  const value: Delivery = {
    ...fc.sample(delivery, 1)[0]!,
    payload: Buffer.from("payload"),
  };
  const encoded = codec.encode({ topic: "deliveries", key: null, value });

  const decoded = codec.decoderOf("deliveries")(rawOf(encoded));

  expect(decoded.kind === "decoded" && decoded.value.payload.buffer).toBe(
    encoded.buffer,
  );
});

test("the fingerprint is the Avro specification's CRC-64 of the canonical form", () => {
  // From Avro's own test data (schema-tests.txt).
  expect(fingerprintOf(parseWriterSchema('"int"'))).toBe("7275d51a3f395c8f");
  expect(fingerprintOf(parseWriterSchema('{"type":"int"}'))).toBe(
    "7275d51a3f395c8f",
  );
});

test("`framingOf` tells the framing by the first bytes", () => {
  expect(framingOf(null)).toBe("none");
  expect(framingOf(Buffer.of(0xc3, 0x01, 1))).toBe("single_object");
  expect(framingOf(Buffer.of(0, 0, 0, 0, 1))).toBe("confluent");
  expect(framingOf(Buffer.from("{}"))).toBe("other");
  expect(framingOf(Buffer.alloc(0))).toBe("other");
});

test("there is a schema for every record, and a decoder for every topic", () => {
  const attempt: Partial<Attempt> = { attemptNumber: 1 };
  expect(attempt.attemptNumber).toBe(1);
  expect([...schemas.keys()]).toHaveLength(9);
  for (const topic of TOPICS)
    expect(typeof codecOf().decoderOf(topic)).toBe("function");
});

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AnswerReader } from "./answer-reader.ts";

/** The bytes of a broker that sends these answers. */
function sent(answers: readonly Buffer[]): Buffer {
  return Buffer.concat(
    answers.flatMap((answer) => {
      const size = Buffer.alloc(4);
      size.writeInt32BE(answer.length);
      return [size, answer];
    }),
  );
}

/** Writes the bytes as a socket does: at most `most` at a time, and no more than there is room for. */
function read(
  reader: AnswerReader,
  bytes: Buffer,
  most: (nth: number) => number,
): Buffer[] {
  const answers: Buffer[] = [];
  for (let at = 0, nth = 0; at < bytes.length; nth++) {
    const room = reader.room();
    expect(room.length).toBeGreaterThan(0);
    const count = bytes.copy(room, 0, at, at + most(nth));
    at += count;
    answers.push(...reader.take(count));
  }
  return answers;
}

const answer = fc
  .oneof(
    { weight: 3, arbitrary: fc.nat(40) },
    { weight: 1, arbitrary: fc.integer({ min: 16_300, max: 16_500 }) },
    { weight: 1, arbitrary: fc.nat(100_000) },
  )
  .chain((size) => fc.nat(255).map((fill) => Buffer.alloc(size, fill)));

test("every answer comes whole and in order, however the bytes were cut", () => {
  fc.assert(
    fc.property(
      fc.array(answer, { maxLength: 12 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(1 << 20)), {
        minLength: 1,
        maxLength: 50,
      }),
      (answers, cuts) => {
        const isTiny = cuts.every((cut) => cut < 10);
        const most = (nth: number): number =>
          // Otherwise a long answer would come in thousands of pieces.
          isTiny && nth > 2_000 ? 65_536 : cuts[nth % cuts.length]!;

        const found = read(new AnswerReader(), sent(answers), most);

        expect(Buffer.concat(found).equals(sent(answers))).toBe(true);
        expect(found.map(({ length }) => length)).toEqual(
          answers.map(({ length }) => 4 + length),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("what comes later does not change an answer that was given out", () => {
  const reader = new AnswerReader();
  const first = read(reader, sent([Buffer.alloc(10_000, 1)]), () => 1 << 20);

  read(reader, sent([Buffer.alloc(10_000, 2)]), () => 1 << 20);

  expect(first[0]!.equals(sent([Buffer.alloc(10_000, 1)]))).toBe(true);
});

test("a long answer is one piece of memory of about its size", () => {
  const [found] = read(
    new AnswerReader(),
    sent([Buffer.alloc(1 << 20)]),
    () => 1 << 16,
  );

  expect(found!.buffer.byteLength).toBeLessThanOrEqual(2 << 20);
});

test.each([
  ["HTTP, as by a web server", Buffer.from("HTTP/1.1 400 Bad Request")],
  ["an alert, as by a TLS listener", Buffer.of(0x15, 3, 3, 0, 2, 2, 0x50)],
  ["a negative size", Buffer.of(0xff, 0xff, 0xff, 0xff)],
  ["a long page", Buffer.alloc(16 << 10, "HTTP/1.1 400 Bad Request")],
])("%s is no answer, and there is room for more all the same", (_, bytes) => {
  const reader = new AnswerReader();

  expect(() => read(reader, bytes, () => 1 << 20)).toThrow(
    "no answer of a Kafka broker",
  );
  expect(reader.room().length).toBeGreaterThan(0);
});

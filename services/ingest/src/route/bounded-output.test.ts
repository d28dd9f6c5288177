import { expect, test } from "@jest/globals";
import type {
  ObservedOutput,
  OutRecord,
  RawRecord,
} from "@postrider/messaging";
import { boundedOutput } from "./bounded-output.ts";

const source = (bytes: number): RawRecord => ({
  topic: "t.events",
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: null,
  value: Buffer.alloc(bytes),
  headers: {},
});
const named = (key: string): OutRecord => ({
  topic: "deliveries",
  key,
  value: Buffer.alloc(0),
});
const records = (name: string, count: number): OutRecord[] =>
  Array.from({ length: count }, (_, n) => named(`${name}${n}`));

/** An output whose calls are acknowledged by hand, oldest first. */
function anOutput(limits: { maxBytes: number; maxPieceBytes: number }) {
  const sent: { keys: string[]; done: PromiseWithResolvers<void> }[] = [];
  const inner: Pick<ObservedOutput, "sendThen"> = {
    sendThen(given, _source, ended) {
      const done = Promise.withResolvers<void>();
      sent.push({ keys: given.map(({ key }) => String(key)), done });
      void done.promise.then(() => ended(null), ended);
    },
  };
  // only `sendThen` is called
  const output = boundedOutput(inner as ObservedOutput, limits);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { output, sent, settled };
}

test("records that do not fit wait for an acknowledgement, and are then sent in order", async () => {
  const { output, sent, settled } = anOutput({
    maxBytes: 100,
    maxPieceBytes: 100,
  });

  const all = [
    output.send(records("a", 2), source(40)),
    output.send(records("b", 2), source(40)),
    output.send(records("c", 1), source(1)),
  ];
  await settled();

  expect(sent.map(({ keys }) => keys)).toEqual([["a0", "a1"]]);
  sent[0]?.done.resolve();
  await settled();
  expect(sent.slice(1).map(({ keys }) => keys)).toEqual([["b0", "b1"], ["c0"]]);
  for (const { done } of sent) done.resolve();
  await Promise.all(all);
});

test("one call of more than a piece goes piece by piece, and a record larger than the bound goes alone", async () => {
  const { output, sent, settled } = anOutput({
    maxBytes: 100,
    maxPieceBytes: 50,
  });

  const all = output.send(records("a", 3), source(500));
  for (let acknowledged = 0; acknowledged < 3; acknowledged++) {
    await settled();
    expect(sent).toHaveLength(acknowledged + 1);
    sent[acknowledged]?.done.resolve();
  }
  await all;

  expect(sent.map(({ keys }) => keys)).toEqual([["a0"], ["a1"], ["a2"]]);
});

test("a rejected send frees its room and rejects the caller's promise", async () => {
  const { output, sent, settled } = anOutput({
    maxBytes: 100,
    maxPieceBytes: 100,
  });
  const refused = output.send(records("a", 1), source(90));
  const next = output.send(records("b", 1), source(90));
  await settled();

  sent[0]?.done.reject(new Error("stopped"));

  await expect(refused).rejects.toThrow("stopped");
  await settled();
  expect(sent[1]?.keys).toEqual(["b0"]);
  sent[1]?.done.resolve();
  await next;
});

test("once the output is stopped, everything that waits ends with its error", () => {
  const stopped = new Error("stopped");
  let isStopped = false;
  let endFirst: () => void = () => undefined;
  const inner: Pick<ObservedOutput, "sendThen"> = {
    sendThen(_records, _source, ended) {
      if (isStopped) ended(stopped);
      else endFirst = () => ended(stopped);
    },
  };
  // only `sendThen` is called
  const output = boundedOutput(inner as ObservedOutput, {
    maxBytes: 10,
    maxPieceBytes: 10,
  });
  // So many that calls nested in each other would overflow the stack.
  const count = 20_000;
  let ended = 0;
  for (let n = 0; n < count; n++)
    output.sendThen([named(`a${n}`)], source(10), (error) => {
      if (error === stopped) ended++;
    });

  isStopped = true;
  endFirst();

  expect(ended).toBe(count);
});

import { expect, test } from "@jest/globals";
import { UnfitValueError, type Output, type Sent } from "@postrider/messaging";
import { PatientSender } from "./patient-sender.ts";

const record = { topic: "events", key: null, value: Buffer.of() } as const;

function aSender(timeoutMs = 60_000) {
  const sent: Sent[] = [];
  const output: Pick<Output, "sendThen"> = {
    sendThen: (_records, _source, ended) => void sent.push(ended),
  };
  const sender = new PatientSender({
    output,
    timeoutMs,
    maxWaitingBytes: 100,
    maxWaitingRecords: 3,
  });
  return { sender, sent };
}

test("a request ends when the broker has acknowledged, and frees its bytes", async () => {
  const { sender, sent } = aSender();

  const result = sender.send([record], 60);
  expect(sender.waitingBytes).toBe(60);
  sent[0]?.(null);

  expect(await result).toBe("acknowledged");
  expect(sender.waitingBytes).toBe(0);
});

test("a request that would exceed the bound is refused and not sent", async () => {
  const { sender, sent } = aSender();
  const waiting = sender.send([record], 60);

  expect(await sender.send([record], 41)).toBe("full");
  expect(sent).toHaveLength(1);

  sent[0]?.(null);
  await waiting;
});

test("a request of more records than may wait is refused and not sent, however small they are", async () => {
  const { sender, sent } = aSender();
  const waiting = sender.send([record, record], 0);

  expect(await sender.send([record, record], 0)).toBe("full");
  expect(sent).toHaveLength(1);
  sent[0]?.(null);

  expect(await waiting).toBe("acknowledged");
  expect(sender.waitingRecords).toBe(0);
  const next = sender.send([record, record, record, record], 0);
  sent[1]?.(null);
  expect(await next).toBe("acknowledged");
});

test("an empty queue takes a request of any size", async () => {
  const { sender, sent } = aSender();

  const result = sender.send([record], 1_000);
  sent[0]?.(null);

  expect(await result).toBe("acknowledged");
});

test("late records count toward the bound until they are acknowledged", async () => {
  const { sender, sent } = aSender(1);

  expect(await sender.send([record], 60)).toBe("late");
  expect(sender.waitingBytes).toBe(60);
  sent[0]?.(null);

  expect(sender.waitingBytes).toBe(0);
});

test("a value that does not fit its schema is an UnfitValueError, and frees its bytes", async () => {
  const { sender, sent } = aSender();

  const result = sender.send([record], 60);
  const unfit = new UnfitValueError(record, "occurredAt", "long");
  sent[0]?.(unfit);

  await expect(result).rejects.toBe(unfit);
  expect(sender.waitingBytes).toBe(0);
});

test("an output that is stopped gives the result stopped", async () => {
  const { sender, sent } = aSender();

  const result = sender.send([record], 1);
  sent[0]?.(new Error("stopped"));

  expect(await result).toBe("stopped");
});

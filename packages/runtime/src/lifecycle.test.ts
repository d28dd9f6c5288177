import { expect, test } from "@jest/globals";
import { systemClock } from "./clock.ts";
import type { Lifecycle } from "./effects.ts";
import { composeLifecycle } from "./lifecycle.ts";
import { createLog } from "./log.ts";

const log = createLog({ service: "test", level: "silent" });

function parts(overrides: Readonly<Record<string, Partial<Lifecycle>>> = {}): {
  whole: Lifecycle;
  calls: string[];
} {
  const calls: string[] = [];
  const made = ["a", "b", "c"].map((name) => ({
    async start() {
      calls.push(`start ${name}`);
      await overrides[name]?.start?.();
    },
    async stop(deadline: number) {
      calls.push(`stop ${name}`);
      await overrides[name]?.stop?.(deadline);
    },
  }));
  return { whole: composeLifecycle(made, { clock: systemClock, log }), calls };
}
const soon = (): number => Date.now() + 20;

test("parts start in order and stop in reverse", async () => {
  const { whole, calls } = parts();

  await whole.start();
  await whole.stop(soon());

  expect(calls).toEqual([
    "start a",
    "start b",
    "start c",
    "stop c",
    "stop b",
    "stop a",
  ]);
});

test("stopping twice stops each part once", async () => {
  const { whole, calls } = parts();
  await whole.start();

  await Promise.all([whole.stop(soon()), whole.stop(soon())]);

  expect(calls.filter((call) => call.startsWith("stop"))).toHaveLength(3);
});

test("a part that does not start stops those begun, and its error comes out", async () => {
  const { whole, calls } = parts({
    b: { start: () => Promise.reject(new Error("port taken")) },
  });

  await expect(whole.start()).rejects.toThrow("port taken");

  expect(calls).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("a part that fails to stop does not keep the others from stopping", async () => {
  const { whole, calls } = parts({
    c: { stop: () => Promise.reject(new Error("no")) },
  });
  await whole.start();

  await expect(whole.stop(soon())).rejects.toThrow("a part did not stop");

  expect(calls.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
});

test("a part that hangs is left behind after the deadline", async () => {
  const { whole, calls } = parts({ b: { stop: () => new Promise(() => {}) } });
  await whole.start();

  await expect(whole.stop(soon())).rejects.toThrow("a part did not stop");

  expect(calls.at(-1)).toBe("stop a");
});

test("a stop during the start stops what had begun and starts nothing more", async () => {
  const begun = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const start = (): Promise<void> => {
    reached.resolve();
    return begun.promise;
  };
  const { whole, calls } = parts({ b: { start } });

  const starting = whole.start();
  await reached.promise;
  await whole.stop(soon());
  begun.resolve();
  await starting;

  expect(calls).toEqual(["start a", "start b", "stop b", "stop a"]);
});

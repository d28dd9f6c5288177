import { getEventListeners } from "node:events";
import { expect, test } from "@jest/globals";
import { ABORTED, orAborted } from "./or-aborted.ts";

const never = new Promise<string>(() => undefined);

test("a value, or an error, that comes before the signal is returned, and nothing is left at the signal", async () => {
  const { signal } = new AbortController();

  expect(await orAborted(Promise.resolve("in time"), signal)).toBe("in time");
  await expect(
    orAborted(Promise.reject(new Error("no")), signal),
  ).rejects.toThrow("no");

  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what is not there when the signal is aborted is not waited for", async () => {
  const ended = new AbortController();

  const waiting = orAborted(never, ended.signal);
  ended.abort();

  expect(await waiting).toBe(ABORTED);
  expect(await orAborted(never, ended.signal)).toBe(ABORTED);
});

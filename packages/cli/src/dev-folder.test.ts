import {
  mkdtempSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  findDevFolder,
  keepKeys,
  lockDevFolder,
  newKeys,
  readDevFile,
  removeDevFiles,
  writeDevFiles,
  type DevFile,
} from "./dev-folder.ts";

let root = "";
let folder = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "postrider-dev-"));
  folder = join(root, ".postrider");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const dev: DevFile = {
  version: 1,
  kafka: { brokers: ["127.0.0.1:9092"] },
  clickhouse: { url: "http://127.0.0.1:8123", database: "postrider" },
  schemaRegistry: null,
  topicPrefix: "postrider.",
  adminKey: "k",
  ingest: { url: "http://127.0.0.1:7401" },
  control: { url: "http://127.0.0.1:7400" },
  services: [],
};

test("dev.json is found from any folder below, can be read by its owner alone, and is gone once removed", () => {
  mkdirSync(folder);
  mkdirSync(join(root, "a/b"), { recursive: true });

  writeDevFiles(folder, dev, { KAFKA_BROKERS: "127.0.0.1:9092" });

  expect(findDevFolder(join(root, "a/b"))).toBe(folder);
  expect(readDevFile(folder)).toEqual(dev);
  expect(statSync(join(folder, "dev.json")).mode & 0o777).toBe(0o600);
  removeDevFiles(folder);
  expect(findDevFolder(join(root, "a/b"))).toBeNull();
});

test("a folder without dev.json is passed over, for one further up", () => {
  mkdirSync(folder);
  mkdirSync(join(root, "a/.postrider"), { recursive: true });
  writeDevFiles(folder, dev, {});

  expect(findDevFolder(join(root, "a"))).toBe(folder);
});

test("keys are made once and kept, for their owner alone", () => {
  mkdirSync(folder);

  const keys = keepKeys(folder, newKeys);

  expect(keepKeys(folder, newKeys)).toEqual(keys);
  expect(statSync(join(folder, "keys.json")).mode & 0o777).toBe(0o600);
});

test("a second dev in the folder is refused, naming the process that runs", () => {
  lockDevFolder(folder);

  expect(() => lockDevFolder(folder)).toThrow(
    `A stack runs in this folder already, started by process ${process.pid}.`,
  );
});

test("the lock can be taken again once it was given back", () => {
  lockDevFolder(folder)();

  lockDevFolder(folder)();

  expect(existsSync(join(folder, "dev.lock"))).toBe(false);
});

test.each([
  [
    "of a process that is gone",
    JSON.stringify({ pid: 2 ** 22 + 1, startedAt: "1" }),
  ],
  [
    "whose pid is another process's by now",
    JSON.stringify({ pid: process.pid, startedAt: "1" }),
  ],
  ["cut short by a kill", '{"pi'],
])("a lock %s is taken over", (_what, text) => {
  mkdirSync(folder);
  writeFileSync(join(folder, "dev.lock"), text);

  lockDevFolder(folder)();
});

import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached } from "./cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postrider-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function makeFolder(temporary: string): Promise<void> {
  mkdirSync(temporary);
}

test("when several processes want the same entry at once, one makes it", async () => {
  const script = fileURLToPath(
    new URL("../fixtures/cache-filler.ts", import.meta.url),
  );
  const entry = join(folder, "entry");
  const journal = join(folder, "journal");

  const codes = await Promise.all(
    [1, 2, 3].map(async () => {
      const filler = spawn(process.execPath, [script, entry, journal]);
      return (await once(filler, "exit"))[0] as number;
    }),
  );

  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(journal, "utf8")).toBe("made\n");
  expect(readFileSync(entry, "utf8")).toBe("whole");
  expect(readdirSync(folder).toSorted()).toEqual(["entry", "journal"]);
});

test("an entry that could not be made leaves nothing, and the next try makes it", async () => {
  const entry = join(folder, "entry");
  const broken = cached(entry, async (temporary) => {
    mkdirSync(temporary);
    throw new Error("the network is gone");
  });
  await expect(broken).rejects.toThrow("the network is gone");
  expect(readdirSync(folder)).toEqual([]);

  await cached(entry, makeFolder);

  expect(readdirSync(folder)).toEqual(["entry"]);
});

test("the lock of a process that died is taken over", async () => {
  const entry = join(folder, "entry");
  mkdirSync(`${entry}.lock`);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(`${entry}.lock`, longAgo, longAgo);

  await cached(entry, makeFolder);

  expect(readdirSync(folder)).toEqual(["entry"]);
});

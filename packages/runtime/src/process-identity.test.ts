import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import {
  isCertainlyDead,
  processIdentity,
  whereOf,
} from "./process-identity.ts";

const testOnLinux = process.platform === "linux" ? test : test.skip;
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function running(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child;
}

testOnLinux("a process that runs, or is frozen, is not dead", () => {
  const child = running("sleep", "60");
  const identity = processIdentity(child.pid)!;
  const own = processIdentity()!;

  child.kill("SIGSTOP");

  expect(isCertainlyDead(identity)).toBe(false);
  expect(isCertainlyDead(own)).toBe(false);
});

testOnLinux("a process that was killed is dead", async () => {
  const child = running("sleep", "60");
  const identity = processIdentity(child.pid)!;

  child.kill("SIGKILL");
  await once(child, "exit");

  expect(isCertainlyDead(identity)).toBe(true);
});

testOnLinux(
  "a process that ended, and that its parent has not asked for, is dead",
  async () => {
    // `exec` replaces the shell by a `sleep`, which never waits for its child: the child becomes a zombie.
    const parent = running("sh", "-c", "sleep 60 & echo $!; exec sleep 60");
    const [line] = (await once(parent.stdout!, "data")) as [Buffer];
    const identity = processIdentity(Number(line.toString()))!;

    while (readFileSync(`/proc/${parent.pid}/comm`, "utf8") !== "sleep\n")
      await sleep(1);

    process.kill(identity.pid, "SIGKILL");
    while (!isCertainlyDead(identity)) await sleep(1);

    // The zombie is still in the process table: a signal to it does not fail.
    expect(process.kill(identity.pid, 0)).toBe(true);
  },
);

testOnLinux(
  "a process id that was used again is not the process that had it before",
  () => {
    const own = processIdentity()!;

    expect(isCertainlyDead({ ...own, startTicks: "1" })).toBe(true);
  },
);

testOnLinux(
  "nothing is known of a process elsewhere, or of one that is none",
  () => {
    const own = processIdentity()!;

    expect(
      isCertainlyDead({ ...own, where: "elsewhere", pid: 4_000_000 }),
    ).toBe(false);
    for (const pid of [0, -1, 1.5, NaN])
      expect(isCertainlyDead({ ...own, pid })).toBe(false);
  },
);

test("a kernel without time namespaces (before 5.6) is a place all the same; one without process namespaces is none", () => {
  const proc = mkdtempSync(join(tmpdir(), "proc-"));
  try {
    mkdirSync(join(proc, "sys/kernel/random"), { recursive: true });
    mkdirSync(join(proc, "self/ns"), { recursive: true });
    writeFileSync(join(proc, "sys/kernel/random/boot_id"), "a-boot\n");
    expect(whereOf(proc)).toBeNull();

    symlinkSync("pid:[4026531836]", join(proc, "self/ns/pid"));
    const old = whereOf(proc);
    symlinkSync("time:[4026531834]", join(proc, "self/ns/time"));

    expect(old).toMatch(/^[0-9a-f]{16}$/);
    expect(whereOf(proc)).not.toBe(old);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

/** The programs of examples/receiving, each in a process of its own. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "@postrider/testkit";

type Command = readonly [string, ...string[]];

export interface ExampleReceiver {
  readonly name: string;
  /** A command that succeeds where the language is on this machine. */
  readonly probe: Command;
  /** What has to be run first, given the folder for what it makes. */
  readonly build?: (folder: string) => Command;
  readonly run: (folder: string) => Command;
}

const program = (file: string): string =>
  fileURLToPath(new URL(`../examples/receiving/${file}`, import.meta.url));

export const WITH_PACKAGE: ExampleReceiver = {
  name: "Node with @postrider/signing",
  probe: [process.execPath, "--version"],
  run: () => [process.execPath, program("receive-with-package.js")],
};

export const IN_PYTHON: ExampleReceiver = {
  name: "Python",
  probe: ["python3", "--version"],
  run: () => ["python3", program("receive.py")],
};

export const EXAMPLE_RECEIVERS: readonly ExampleReceiver[] = [
  WITH_PACKAGE,
  {
    name: "Node",
    probe: [process.execPath, "--version"],
    run: () => [process.execPath, program("receive.js")],
  },
  IN_PYTHON,
  {
    name: "Java",
    probe: ["javac", "--version"],
    run: () => ["java", program("Receive.java")],
  },
  {
    name: "Go",
    probe: ["go", "version"],
    build: (folder) => [
      "go",
      "build",
      "-o",
      join(folder, "receive"),
      program("receive.go"),
    ],
    run: (folder) => [join(folder, "receive")],
  },
];

export interface RunningReceiver {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has printed of the webhooks that it took: a line `ID BODY` for each. */
  lines(): readonly string[];
}

/** Processes that are ended together. */
export class ExampleProcesses {
  readonly #folder = mkdtempSync(join(tmpdir(), "postrider-examples-"));
  readonly #children: ChildProcess[] = [];

  /** Builds a receiver, where that is needed, starts it on a free port and resolves once it listens. */
  async start(
    { build, run }: ExampleReceiver,
    secrets: readonly string[],
  ): Promise<RunningReceiver> {
    if (build !== undefined) {
      const [command, ...args] = build(this.#folder);
      execFileSync(command, args, { stdio: "pipe" });
    }
    const [command, ...args] = run(this.#folder);
    const child = spawn(command, args, {
      env: { ...process.env, WEBHOOK_SECRETS: secrets.join(" "), PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    const text = (): string => Buffer.concat(out).toString();
    const url = await waitFor(
      () =>
        child.exitCode === null
          ? /Listening on (http:\S+)\n/.exec(text())?.[1]
          : "none",
      { timeoutMs: 60_000, what: `${command} to listen` },
    );
    if (url === "none") throw new Error(Buffer.concat(errors).toString());
    return { url, child, lines: () => text().split("\n").slice(1, -1) };
  }

  /** How a receiver ends that is started with secrets with which it must not start. It must have been built. */
  async endOf(
    { run }: ExampleReceiver,
    secrets: string,
  ): Promise<{ readonly status: number | null; readonly printed: string }> {
    const [command, ...args] = run(this.#folder);
    const child = spawn(command, args, {
      env: { ...process.env, WEBHOOK_SECRETS: secrets, PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    const printed: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        printed.push(chunk);
        // One that starts all the same would never end.
        if (stream === child.stdout) child.kill();
      });
    const [status] = (await once(child, "close")) as [number | null];
    return { status, printed: Buffer.concat(printed).toString() };
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }),
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

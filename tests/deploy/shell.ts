import { spawn } from "node:child_process";

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the program's stdin. */
  readonly input?: string;
  /** Also print what the program prints. */
  readonly isShown?: boolean;
}

/** Runs a program; resolves to what it wrote to stdout. Rejects, with the last lines of both outputs, when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: ShellOptions = {},
): Promise<string> {
  const { cwd, env = process.env, input, isShown } = options;
  const child = spawn(command, args, { cwd, env, stdio: "pipe" });
  let out = "";
  let both = "";
  child.stdout.on("data", (chunk) => {
    out += String(chunk);
    both += String(chunk);
    if (isShown) process.stdout.write(chunk as Buffer);
  });
  child.stderr.on("data", (chunk) => {
    both += String(chunk);
    if (isShown) process.stderr.write(chunk as Buffer);
  });
  child.stdin.on("error", () => undefined); // the program ended without reading it
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return out;
  throw new Error(
    `${[command, ...args].join(" ")} ended with ${code}:\n${both.trimEnd().split("\n").slice(-30).join("\n")}`,
  );
}

/** Whether a program can be run and says it is well. */
export async function runs(
  command: string,
  args: readonly string[],
  env = process.env,
): Promise<boolean> {
  return await run(command, args, { env }).then(
    () => true,
    () => false,
  );
}

import { test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "@postrider/testkit";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("the janitor alone, without setpriv, ends the servers and the folder of a killed process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postrider-test-"));
  writeFileSync(join(folder, "data"), "data");
  const script = fileURLToPath(
    new URL("../fixtures/janitor-owner.ts", import.meta.url),
  );
  const owner = spawn(process.execPath, [script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = (await once(
    createInterface({ input: owner.stdout }),
    "line",
  )) as [string];

  owner.kill("SIGKILL");

  await waitFor(() => !existsSync(folder));
  await waitFor(() => !isAlive(Number(pid)));
});

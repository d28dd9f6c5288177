/** `node main.ts [run | migrate | print | print-all | check | roll-ups REQUEST]`: runs the recorder, applies the migrations once, prints the statements of those that are missing or of all, says whether there are any to apply, or compares and repairs roll-ups. */
import { runService } from "@postrider/runtime";
import { readRecorderConfig } from "./config.ts";
import {
  runCheck,
  runMigrate,
  runPrint,
  runPrintAll,
} from "./migrate/migrate-mode.ts";
import { runRollUps } from "./roll-ups/roll-ups-mode.ts";

const [mode = "run", ...rest] = process.argv.slice(2);

async function exitCode(): Promise<number> {
  if (rest.length === 0 && mode === "run")
    return await runService({
      name: "recorder",
      readConfig: readRecorderConfig,
      // Imported only here, because `migrate` needs no Kafka.
      compose: async (...args) =>
        (await import("./compose.ts")).compose(...args),
    });
  const say = {
    out: (line: string) => void process.stdout.write(`${line}\n`),
    err: (line: string) => void process.stderr.write(`${line}\n`),
  };
  if (rest.length === 0 && mode === "migrate") return await runMigrate(say);
  if (rest.length === 0 && mode === "print") return await runPrint(say);
  if (rest.length === 0 && mode === "print-all") return runPrintAll(say);
  if (rest.length === 0 && mode === "check") return await runCheck(say);
  if (rest[0] !== undefined && rest.length === 1 && mode === "roll-ups")
    return await runRollUps(say, rest[0]);
  process.stderr.write(
    "usage: node main.ts [run | migrate | print | print-all | check | roll-ups REQUEST]\n",
  );
  return 2;
}

process.exit(await exitCode());

/** `node main.ts [run | migrate]`: runs the recorder, or applies the migrations once. */
import { runService } from "@postrider/runtime";
import { readRecorderConfig } from "./config.ts";
import { runMigrate } from "./migrate/migrate-mode.ts";

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
  if (rest.length === 0 && mode === "migrate")
    return await runMigrate({
      out: (line) => void process.stdout.write(`${line}\n`),
      err: (line) => void process.stderr.write(`${line}\n`),
    });
  process.stderr.write("usage: node main.ts [run | migrate]\n");
  return 2;
}

process.exit(await exitCode());

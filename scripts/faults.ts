import { runFaults, USAGE } from "../faults/run.ts";

const args = process.argv.slice(2);
if (args.includes("--help")) console.log(USAGE);
else
  try {
    if (!(await runFaults(args))) process.exitCode = 1;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_PARSE_ARGS")) throw error;
    console.error(`${message}\n${USAGE}`);
    process.exitCode = 2;
  }

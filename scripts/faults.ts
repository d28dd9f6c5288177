import { runFaults } from "../faults/run.ts";

if (!(await runFaults(process.argv.slice(2)))) process.exitCode = 1;

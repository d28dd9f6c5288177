import { runService } from "@postrider/runtime";
import { compose } from "./compose.ts";
import { readRetrySchedulerConfig } from "./config.ts";

process.exit(
  await runService({
    name: "retry-scheduler",
    readConfig: readRetrySchedulerConfig,
    compose,
    stopWithinMs: 15_000,
  }),
);

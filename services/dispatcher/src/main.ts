import { runService } from "@postrider/runtime";
import { compose, STOP_WITHIN_MS } from "./compose.ts";
import { readDispatcherConfig } from "./config.ts";

process.exit(
  await runService({
    name: "dispatcher",
    readConfig: readDispatcherConfig,
    compose,
    stopWithinMs: STOP_WITHIN_MS,
  }),
);

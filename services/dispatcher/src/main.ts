import { runService } from "@postrider/runtime";
import { compose, STOP_WITHIN_MS } from "./compose.ts";
import { readDispatcherConfig } from "./config.ts";

process.exit(
  await runService({
    name: "dispatcher",
    readConfig: readDispatcherConfig,
    compose,
    stopWithinMs: STOP_WITHIN_MS,
    // A name that stalls holds a thread for as long as the resolver waits: four of them must not stop all others.
    threads: 128,
  }),
);

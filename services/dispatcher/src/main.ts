import { runService } from "@postrider/runtime";
import { compose } from "./compose.ts";
import { readDispatcherConfig } from "./config.ts";

process.exit(
  await runService({
    name: "dispatcher",
    readConfig: readDispatcherConfig,
    compose,
  }),
);

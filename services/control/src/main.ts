import { runService } from "@postrider/runtime";
import { compose } from "./compose.ts";
import { readControlConfig } from "./config.ts";

process.exit(
  await runService({
    name: "control",
    readConfig: readControlConfig,
    compose,
  }),
);

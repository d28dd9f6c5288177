import type { Command } from "commander";
import { command, type Run } from "../command.ts";

export function demoCommand(run: Run): Command {
  return command(
    run,
    "demo",
    "a tour of about a minute: publish, deliver, retry, give up, ask in SQL; needs nothing running and leaves nothing",
    async ({ terminal }) => {
      const { runDemo } = await import("../demo/run-demo.ts"); // loaded here only: Kafka's client and the stack, which other commands do not need
      return await runDemo(terminal);
    },
  );
}

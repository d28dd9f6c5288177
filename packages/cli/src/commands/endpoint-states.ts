/** `endpoints pause`, `disable`, `enable` and `resume`. */
import { integer } from "@postrider/runtime";
import type { Command } from "commander";
import { command, option, type Run } from "../command.ts";
import { endpointLines } from "../endpoint-lines.ts";
import { resumeLines, watchResume, type Resume } from "../resume-watch.ts";
import { whyHeader, withWhy, type Why } from "../why.ts";
import { matching, pathOf } from "../endpoint-path.ts";
import { call } from "./endpoint-requests.ts";

interface Given extends Why {
  readonly ifVersion?: number;
  readonly reason?: string;
}

export function pause(run: Run): Command {
  return change(
    run,
    "pause",
    "park what comes for it until `endpoints resume`",
  ).option("--reason <text>", "why, for people");
}

export function disable(run: Run): Command {
  return change(
    run,
    "disable",
    "route nothing to it, and give up what waits, until `endpoints enable`",
  ).option("--reason <text>", "why, for people");
}

function change(run: Run, name: string, description: string): Command {
  const made = command<Given>(
    run,
    `${name} <id>`,
    description,
    async ({ args, options, terminal }) => {
      const { reason } = options;
      const endpoint = await call<object>({
        method: "POST",
        path: `${pathOf(args[0])}/${name}`,
        body: JSON.stringify(reason === undefined ? {} : { reason }),
        headers: headersOf(options),
      });
      terminal.data(endpoint, () => endpointLines(endpoint, terminal));
    },
  );
  return withVersion(made);
}

/** Control's answer to what may start a resume: the endpoint, and its resume if it was ever paused. */
interface WithResume {
  readonly resume: Resume | null;
}

export function enable(run: Run): Command {
  const made = command<Given>(
    run,
    "enable <id>",
    "deliver to it again, after a 410 or `endpoints disable`; sends what was parked before",
    async ({ args, options, terminal }) => {
      const answer = await call<WithResume>({
        method: "POST",
        path: `${pathOf(args[0])}/enable`,
        headers: headersOf(options),
      });
      const { resume: begun, ...endpoint } = answer;
      terminal.data(answer, () => endpointLines(endpoint, terminal));
      if (begun?.state === "running")
        terminal.say(
          `A resume sends what was parked while it was paused. ${howToWatch(begun)}`,
        );
    },
  );
  return withVersion(made);
}

function howToWatch({ endpointId }: Resume): string {
  return `To see how far it is: npx postrider endpoints resume ${endpointId} --watch`;
}

export function resume(run: Run): Command {
  const made = command<Given & { watch?: boolean; cancel?: boolean }>(
    run,
    "resume <id>",
    "deliver to a paused endpoint again, also what was parked meanwhile",
    async ({ args, options, terminal }) => {
      const path = pathOf(args[0]);
      const read = (): Promise<Resume> =>
        call({ method: "GET", path: `${path}/resume` });
      if (options.cancel === true) {
        const cancelled = await call<Resume>({
          method: "DELETE",
          path: `${path}/resume`,
          headers: whyHeader(options),
        });
        terminal.data(cancelled, () => resumeLines(cancelled, terminal));
        terminal.say(
          `What was not sent stays parked. To send it: npx postrider endpoints resume ${args[0]}`,
        );
        return;
      }
      const { resume: begun, ...endpoint } = await call<WithResume>({
        method: "POST",
        path: `${path}/resume`,
        headers: headersOf(options),
      });
      if (begun === null) {
        terminal.data({ ...endpoint, resume: null }, () =>
          endpointLines(endpoint, terminal),
        );
        terminal.say("It was never paused, so there is nothing to send again.");
      } else if (options.watch === true) {
        const done = await watchResume(begun, read, terminal);
        terminal.data(done, () => resumeLines(done, terminal));
      } else {
        terminal.data({ ...endpoint, resume: begun }, () =>
          resumeLines(begun, terminal),
        );
        if (begun.state === "running")
          terminal.say(`It goes on by itself. ${howToWatch(begun)}`);
      }
    },
  )
    .option("--watch", "show the progress, and end when it is done")
    .option("--cancel", "stop sending what is parked");
  return withVersion(made);
}

function headersOf(options: Given): Record<string, string> {
  return { ...matching(options.ifVersion), ...whyHeader(options) };
}

function withVersion(made: Command): Command {
  return withWhy(made).option(
    "--if-version <n>",
    "refuse if the endpoint is at another version",
    option(integer(1, Number.MAX_SAFE_INTEGER)),
  );
}

/** The option `--why` of commands that change something: the reason that the audit trail keeps. */
import { InvalidArgumentError, type Command } from "commander";

export interface Why {
  readonly why?: string;
}

export function withWhy(made: Command): Command {
  return made.option(
    "--why <text>",
    "why, for `audit list`; up to 500 characters",
    (text) => {
      // Control checks the rest. A header with these cannot even be sent.
      if (/\p{Cc}/u.test(text))
        throw new InvalidArgumentError("It must not hold control characters.");
      return text;
    },
  );
}

/** The header that carries the reason; none where no reason was given. Its text is bytes for node, and UTF-8 for control. */
export function whyHeader({ why }: Why): Record<string, string> {
  return why === undefined
    ? {}
    : { "x-audit-reason": Buffer.from(why).toString("latin1") };
}

/** What is said to a user who lacks rights in Kafka. */
import {
  grantCommand,
  principalOf,
  rightText,
  type Right,
} from "@postrider/messaging";
import { CliError, EXIT } from "../cli-error.ts";
import { securityOf } from "../kafka.ts";

/** The refusal of a command for want of these rights, with the commands that grant them. */
export function withoutRights(
  what: string,
  {
    brokers,
    rights,
    scope = "",
    cause,
  }: {
    readonly brokers: readonly string[];
    readonly rights: readonly Right[];
    /** Which of his rights these are, behind the user's name. */
    readonly scope?: string;
    readonly cause?: unknown;
  },
): CliError {
  const principal = principalOf(securityOf(brokers) ?? {});
  return new CliError(EXIT.refused, what, {
    why: `Kafka does not allow ${principal}${scope}: ${rights.map(rightText).join("; ")}.`,
    next: rights.map((right) => grantCommand(right, principal)).join("\n"),
    cause,
  });
}

import { StackError, type StackErrorCode } from "@postrider/local-stack";
import { CliError, EXIT } from "../cli-error.ts";

/** For each reason why a stack cannot start: what to run or set. */
const NEXT: Readonly<Record<StackErrorCode, string | undefined>> = {
  JAVA_MISSING:
    "apt install openjdk-17-jre-headless   (macOS: brew install openjdk@17)",
  JAVA_TOO_OLD:
    "apt install openjdk-17-jre-headless   (macOS: brew install openjdk@17)",
  MAVEN_MISSING: "apt install maven   (macOS: brew install maven)",
  DOWNLOAD_FAILED:
    "Check the network, or Maven's settings.xml if there is a mirror or proxy; then run it again.",
  ENGINE_MISSING: "npm ci",
  PORT_TAKEN: undefined,
  NOT_READY: undefined,
  UNREACHABLE:
    "Start it, or unset KAFKA_BROKERS, CLICKHOUSE_URL and POSTRIDER_STACK to have a stack of your own.",
  DOCKER_MISSING:
    "export POSTRIDER_STACK=local   (Java and Maven instead of Docker)",
  SERVERS_MISSING:
    "Set KAFKA_BROKERS and CLICKHOUSE_URL, or start it in a checkout of the repository: npx postrider dev",
  CONFIG: "Correct it, or unset POSTRIDER_STACK to have a stack of your own.",
};

/** Turns the error of a stack that cannot start into the command's error; returns any other error unchanged. */
export function inWords(error: unknown): unknown {
  if (!(error instanceof StackError)) return error;
  return new CliError(
    error.code === "CONFIG" ? EXIT.usage : EXIT.unreachable,
    error.message,
    {
      why: error.cause instanceof Error ? error.cause.message : undefined,
      next: NEXT[error.code],
      cause: error,
    },
  );
}

import { EXIT, type ExitCode } from "../cli-error.ts";

/** What a check of `doctor` found. `exitCode` is what the command ends with if nothing worse was found. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  /** The next command to run, or what to change; null if nothing is wrong. */
  readonly next: string | null;
  readonly exitCode: ExitCode;
}

export function fine(check: string, detail: string): Finding {
  return { check, state: "ok", detail, next: null, exitCode: EXIT.done };
}

/** Something that works and should be mended all the same. */
export function warning(check: string, detail: string, next: string): Finding {
  return { check, state: "warning", detail, next, exitCode: EXIT.done };
}

export function failed(
  check: string,
  detail: string,
  next: string,
  exitCode: ExitCode = EXIT.failed,
): Finding {
  return { check, state: "failed", detail, next, exitCode };
}

/** From the worst to the best: settings that cannot be read, what cannot be reached, what is wrong. */
const WORST_FIRST: readonly ExitCode[] = [
  EXIT.usage,
  EXIT.unreachable,
  EXIT.failed,
];

export function worstOf(findings: readonly Finding[]): ExitCode {
  return (
    WORST_FIRST.find((code) =>
      findings.some(({ exitCode }) => exitCode === code),
    ) ?? EXIT.done
  );
}

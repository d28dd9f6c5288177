/** `endpoints resume --watch`: shows a resume's progress until nothing more comes. */
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, EXIT } from "./cli-error.ts";
import type { Terminal } from "./terminal.ts";

/** The fields of control's answer that are used here. */
export interface Resume {
  readonly id: string | null;
  readonly endpointId: string;
  readonly state: string;
  readonly detail: string | null;
  readonly read: number;
  readonly total: number;
  readonly sent: number;
}

const POLL_EVERY_MS = 500;
/** How long control may be away while we watch: a new owner begins within a session timeout. */
const PATIENCE_MS = 60_000;

/** Resolves to the resume once it is done. Throws `CliError` where it was cancelled or has ended, or another one has begun. */
export async function watchResume(
  first: Resume,
  read: () => Promise<Resume>,
  terminal: Terminal,
): Promise<Resume> {
  let resume = first;
  let seenAt = performance.now();
  while (resume.state === "running" && resume.id === first.id) {
    terminal.progress(progressOf(resume));
    await sleep(POLL_EVERY_MS);
    try {
      resume = await read();
      seenAt = performance.now();
    } catch (error) {
      const isAway =
        error instanceof CliError && error.exitCode === EXIT.unreachable;
      if (!isAway || performance.now() - seenAt > PATIENCE_MS) throw error;
    }
  }
  if (resume.id !== first.id) throw replaced(first);
  if (resume.state !== "done") throw stopped(resume);
  return resume;
}

function progressOf({ read, total, sent }: Resume): string {
  return read < total
    ? `read ${read} of ${total} dead letters, sent ${sent} deliveries`
    : `sent ${sent} deliveries; waiting until no dispatcher parks any more`;
}

function replaced({ endpointId, id }: Resume): CliError {
  return new CliError(
    EXIT.failed,
    `Resume ${id} was followed by another one of ${endpointId}.`,
    {
      why: "The endpoint was resumed again; the newer resume goes on where this one stopped.",
      next: `npx postrider endpoints resume ${endpointId} --watch`,
    },
  );
}

function stopped({ endpointId, state, detail, sent }: Resume): CliError {
  return new CliError(
    EXIT.failed,
    `The resume of ${endpointId} was stopped before it was done: ${state}.`,
    {
      why: `${detail ?? state}. It has sent ${sent} deliveries; the others stay parked.`,
      next: `npx postrider endpoints resume ${endpointId}   (goes on where it stopped)`,
    },
  );
}

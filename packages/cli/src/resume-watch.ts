/** `endpoints resume --watch`: shows a resume's progress until nothing more comes. */
import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "@postrider/core";
import { CliError, EXIT } from "./cli-error.ts";
import { fieldLines } from "./field-lines.ts";
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
  readonly unreadable: number;
  readonly lost: number;
}

/** A part of the log of dead letters that a resume reads. */
interface Place {
  readonly partition: number;
  readonly from: number;
  readonly position: number;
  readonly end: number;
}

/** A resume for people: one field a line. */
export function resumeLines(
  resume: Resume,
  terminal: Pick<Terminal, "paint">,
): string {
  return fieldLines(resume, terminal, {
    places: (places: readonly Place[]) =>
      places.map(
        ({ partition, from, position, end }) =>
          `partition ${partition}: from ${from} to ${end}, read up to ${position}`,
      ),
  });
}

const POLL_EVERY_MS = 500;
/** How long control may be away while we watch: a new owner begins within a session timeout. */
const PATIENCE_MS = 60_000;

/**
 * Resolves to the resume once it is done. Throws `CliError` where it was cancelled or has ended, where another one has begun, or
 * where it could not send everything. A replica of control that has not read the resume yet shows an older one, or none: until
 * it was seen once, that means that it is not there yet.
 */
export async function watchResume(
  first: Resume,
  read: () => Promise<Resume>,
  terminal: Pick<Terminal, "progress">,
  pollEveryMs: number = POLL_EVERY_MS,
): Promise<Resume> {
  let resume = first;
  let isSeen = false;
  let seenAt = performance.now();
  const isPatient = (): boolean => performance.now() - seenAt <= PATIENCE_MS;
  while (resume.state === "running" && resume.id === first.id) {
    const { read: done, total } = resume;
    terminal.progress(progressOf(resume), { done, total });
    await sleep(pollEveryMs);
    try {
      const found = await read();
      if (found.id !== first.id && !isSeen && isPatient()) continue;
      resume = found;
      isSeen = true;
      seenAt = performance.now();
    } catch (error) {
      const code = error instanceof CliError ? error.exitCode : undefined;
      const mayCome =
        code === EXIT.unreachable || (code === EXIT.notFound && !isSeen);
      if (!mayCome || !isPatient()) throw error;
    }
  }
  if (resume.id !== first.id) throw replaced(first);
  if (resume.state !== "done") throw stopped(resume);
  if (resume.unreadable > 0 || resume.lost > 0) throw incomplete(resume);
  return resume;
}

function progressOf({ read, total, sent }: Resume): string {
  return read < total
    ? `read ${read} of ${total} dead letters, sent ${deliveries(sent)}`
    : `sent ${deliveries(sent)}; waiting until no dispatcher parks any more`;
}

function deliveries(count: number): string {
  return counted(count, "delivery", "deliveries");
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

function incomplete({ endpointId, detail, sent }: Resume): CliError {
  return new CliError(
    EXIT.failed,
    `The resume of ${endpointId} is done, but could not read all of dead-letters.`,
    {
      why: `${detail ?? "see control's log"}. It has sent ${deliveries(sent)}.`,
      next: "See control's log (resume.deadLetterUnreadable, resume.deadLettersLost), and publish again the events that the endpoint lacks.",
    },
  );
}

function stopped({ endpointId, state, detail, sent }: Resume): CliError {
  return new CliError(
    EXIT.failed,
    `The resume of ${endpointId} was stopped before it was done: ${state}.`,
    {
      why: `${detail ?? state}. It has sent ${deliveries(sent)}; the others stay parked.`,
      next: `npx postrider endpoints resume ${endpointId}   (goes on where it stopped)`,
    },
  );
}

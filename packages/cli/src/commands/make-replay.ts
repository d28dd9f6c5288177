/** Makes a replay: shows what it would do, asks, and begins it. */
import { createInterface } from "node:readline/promises";
import { CliError, EXIT } from "../cli-error.ts";
import { call } from "./endpoint-requests.ts";
import { pathSegment } from "../api.ts";
import {
  previewLines,
  replayLines,
  sentText,
  type Preview,
  type Replay,
} from "../replay-lines.ts";
import { watchReplay } from "../replay-watch.ts";
import type { Terminal } from "../terminal.ts";

export interface Making {
  readonly rate?: number;
  readonly why?: string;
  readonly yes?: boolean;
  readonly watch?: boolean;
}

/** `selection` has the fields that control knows. */
export async function makeReplay(
  selection: Readonly<Record<string, unknown>>,
  options: Making,
  terminal: Terminal,
): Promise<void> {
  const asked = { ...selection, ratePerSecond: options.rate };
  const preview = await call<Preview>({
    method: "POST",
    path: "/v1/replays/preview",
    body: JSON.stringify(asked),
  });
  const isNothing = preview.toSend === 0;
  if (!terminal.json) terminal.say(previewLines(preview, terminal));
  if (isNothing)
    return terminal.data({ preview, replay: null }, () => "Nothing to send.");
  if (options.yes !== true) await confirm(preview, terminal);
  const made = await call<Replay>({
    method: "POST",
    path: "/v1/replays",
    body: JSON.stringify({
      ...asked,
      selectedAt: preview.selectedAt,
      why: options.why,
    }),
  });
  if (options.watch === true) {
    terminal.say(`Replay ${made.id} was made.`);
    return await watch(made, terminal);
  }
  terminal.data({ preview, replay: made }, () => replayLines(made, terminal));
  terminal.say(
    `It goes on by itself. To see how far it is: npx postrider replay watch ${made.id}`,
  );
}

export async function watch(first: Replay, terminal: Terminal): Promise<void> {
  const done = await watchReplay(first, () => readReplay(first.id), terminal);
  terminal.data(done, () => replayLines(done, terminal));
}

export async function readReplay(id = ""): Promise<Replay> {
  return await call<Replay>({
    method: "GET",
    path: `/v1/replays/${pathSegment(id)}`,
  });
}

/** Throws unless the user says yes. */
async function confirm(preview: Preview, terminal: Terminal): Promise<void> {
  if (terminal.json || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new CliError(EXIT.usage, "Nobody is there to be asked.", {
      why: `${sentText(preview)}, which cannot be undone.`,
      next: "The same command with --yes",
    });
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
  });
  try {
    const answer = await lines.question(`${sentText(preview)}. Send? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CliError(EXIT.refused, "Nothing was sent: it was not confirmed.");
}

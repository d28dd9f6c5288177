import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { CliError } from "../cli-error.ts";
import { confirmDeletion } from "./ask-and-tell.ts";

const DELETION = { what: "3 endpoints", follows: "what waits is given up" };

/** A terminal with somebody at it, or a pipe. */
function aTerminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  output.setEncoding("utf8");
  return { input, output };
}

/** What was asked, and how it ended: `yes`, or why not. */
async function asked(
  keys: string,
  { json = false, isTTY = true } = {},
): Promise<readonly [question: string, end: string]> {
  const { input, output } = aTerminal(isTTY);
  const confirming = confirmDeletion(DELETION, { json }, { input, output });
  input.write(keys);
  const end = await confirming.then(
    () => "yes",
    (error: unknown) => {
      if (!(error instanceof CliError)) throw error;
      return error.message;
    },
  );
  return [String(output.read() ?? ""), end];
}

test.each(["y\r", "Y\r", "yes\r", " YES \r"])("%j deletes", async (keys) => {
  const [question, end] = await asked(keys);

  expect(question).toContain("Delete 3 endpoints? [y/N] ");
  expect(end).toBe("yes");
});

test.each(["\r", "n\r", "no\r", "yess\r", "oy\r", "\u0003", "\u0004"])(
  "%j deletes nothing",
  async (keys) => {
    const [question, end] = await asked(keys);

    expect(question).toContain("Delete 3 endpoints? [y/N] ");
    expect(end).toBe("Nothing was done: it was not confirmed.");
  },
);

test.each([{ json: true }, { isTTY: false }])(
  "where nobody can be asked (%j), nothing is, and --yes is named",
  async (where) => {
    const [question, end] = await asked("y\r", where);

    expect(question).toBe("");
    expect(end).toBe("Nobody is there to be asked.");
  },
);

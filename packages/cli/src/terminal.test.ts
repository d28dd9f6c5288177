import { stripVTControlCharacters } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import { createTerminal, table, visible } from "./terminal.ts";

test("columns are as wide as their widest cell, without blanks at the ends of lines", () => {
  const text = table(
    ["A", "B"],
    [
      ["long", "1"],
      ["x", ""],
    ],
    createTerminal(false),
  );

  expect(text).toBe("A     B\nlong  1\nx");
});

const { isTTY, columns } = process.stdout;
const talk = process.stderr;
const { isTTY: isTalkTTY, columns: talkColumns } = talk;
const write = talk.write.bind(talk);
afterEach(() => {
  Object.assign(process.stdout, { isTTY, columns });
  Object.assign(talk, { isTTY: isTalkTTY, columns: talkColumns, write });
});

/** What is written on stderr, each time. */
function talkOn(stream: {
  readonly isTTY: boolean;
  readonly columns: number;
}): readonly string[] {
  const written: string[] = [];
  Object.assign(talk, {
    ...stream,
    write: (text: string) => written.push(text) > 0,
  });
  return written;
}

test("on a terminal progress is one line with a bar, which the next one and data replace", () => {
  const written = talkOn({ isTTY: true, columns: 40 });
  const terminal = createTerminal(false);

  terminal.progress("sent 0 of 8", { done: 0, total: 8 });
  terminal.progress("sent 2 of 8", { done: 2, total: 8 });
  terminal.progress("sent 2 of 8", { done: 2, total: 8 });
  terminal.progress("sent 8 of 8, and this does not fit", {
    done: 8,
    total: 8,
  });
  terminal.progress("nothing is known", { done: 0, total: 0 });
  terminal.say("done");

  expect(written).toEqual([
    `\r\u001b[2K${"░".repeat(20)} sent 0 of 8`,
    `\r\u001b[2K${"█".repeat(5)}${"░".repeat(15)} sent 2 of 8`,
    `\r\u001b[2K${"█".repeat(20)} sent 8 of 8, and t`,
    "\r\u001b[2Knothing is known",
    "\r\u001b[2K",
    "done\n",
  ]);
});

test("where stderr is no terminal each change is a line without a bar, and with --json there is none", () => {
  const written = talkOn({ isTTY: false, columns: 40 });

  for (const json of [false, true]) {
    const terminal = createTerminal(json);
    terminal.progress("sent 0 of 8", { done: 0, total: 8 });
    terminal.progress("sent 0 of 8", { done: 0, total: 8 });
    terminal.progress("sent 8 of 8", { done: 8, total: 8 });
  }

  expect(written).toEqual(["sent 0 of 8\n", "sent 8 of 8\n"]);
});

/** The table's lines on a terminal so many columns wide. */
function linesAt(width: number, rows: readonly (readonly string[])[]) {
  Object.assign(process.stdout, { isTTY: true, columns: width });
  const header = ["given up", "delivery", "detail"];
  const text = table(header, rows, createTerminal(false));
  return stripVTControlCharacters(text).split("\n");
}

const AT = "2026-01-01T00:00:00.000Z";
const ID = "dlv_Yn7Jys89Xh4Yr8W9w1K8KH";

test.each([80, 60, 20])(
  "ids and times are whole on a terminal of %i columns; other texts are cut",
  (width) => {
    const [, line] = linesAt(width, [
      [AT, ID, "the receiver said no ".repeat(9)],
    ]);

    expect(line?.startsWith(`${AT}  ${ID}  the`)).toBe(true);
    expect(line?.endsWith("…")).toBe(true);
    expect(line?.length).toBe(Math.max(width, `${AT}  ${ID}  `.length + 8));
  },
);

test("a long word is cut unless it begins as an id", () => {
  const long = "x".repeat(60);

  const [, word, id] = linesAt(60, [
    [AT, long, ""],
    [AT, "", `inline_${long}`],
  ]);

  expect(word).toMatch(/x…$/);
  expect(id).toContain(`inline_${long}`);
});

test("control characters in other people's texts do not reach the terminal", () => {
  expect(visible("a\u001b[2Jb\nc\u0007\u009b")).toBe("ab\\nc��");
});

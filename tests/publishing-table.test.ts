/** The table of docs/publishing.md, "Programs", says which form has a program in which language. What it names is run by publishing.e2e.test.ts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { COMMANDS, FORMS, PROGRAMS } from "./publishing/programs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/publishing.md"), "utf8");

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The table whose first head is this. */
function tableOf(head: string): string[][] {
  const lines = page.slice(page.search(new RegExp(`^\\| ${head} +\\|`, "m")));
  return lines.slice(0, lines.indexOf("\n\n")).split("\n").map(cellsOf);
}

/** A record of a configured source is what its topic has anyway, so one program shows it. */
const OF_ANY_PRODUCER = ["orders", "parcels"];

const noneOf = (form: string): string =>
  OF_ANY_PRODUCER.includes(form) ? "–" : `a program that sends ${form}`;

test("the table names each program that is run, and no other", () => {
  const [[, ...languages] = [], , ...rows] = tableOf("form +\\| TypeScript");

  const named = rows.flatMap(([form = "", ...cells]) =>
    cells.map((cell, at) => [
      /`([\w-]+)`/.exec(form)?.[1],
      languages[at],
      /^\[(.+)\]\(\.\.\/examples\/\1\)$/.exec(cell)?.[1] ?? cell,
    ]),
  );

  const run = FORMS.flatMap((form) =>
    languages.map((language) => [
      form,
      language,
      language === "commands"
        ? (Object.entries(COMMANDS).find(([, sends]) => form in sends)?.[0] ??
          "–")
        : (PROGRAMS.find(
            (program) => program.language === language && form in program.sends,
          )?.file ?? noneOf(form)),
    ]),
  );
  expect(named).toEqual(run);
});

test("each program is there", () => {
  expect(
    PROGRAMS.filter(({ file }) => !existsSync(join(root, "examples", file))),
  ).toEqual([]);
});

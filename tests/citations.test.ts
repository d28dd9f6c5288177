/** Checks that whatever comments and documents cite exists in this repository: a page under docs/ and its heading. */
import { expect, test } from "@jest/globals";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const EXTENSIONS = /\.(ts|js|md|sql)$/;
const NOT_OURS = new Set([
  "node_modules",
  ".git",
  ".cache",
  ".postrider",
  "dist",
]);

const files = filesBelow(root).filter(
  (file) => relative(root, file) !== join("tests", "citations.test.ts"),
);

test('a comment\'s `docs/page.md, "Heading"` names a heading of that page', () => {
  const cited = files.flatMap(citationsOf);

  expect(cited.length).toBeGreaterThan(20);
  expect(
    cited.filter(({ page, heading }) => !headingsOf(page).has(heading)),
  ).toEqual([]);
});

test("a document's link leads to a file, and to a heading of it", () => {
  const links = files.filter((file) => file.endsWith(".md")).flatMap(linksOf);

  expect(links.length).toBeGreaterThan(20);
  expect(links.filter(({ target, anchor }) => !leads(target, anchor))).toEqual(
    [],
  );
});

test("a file that a document names exists", () => {
  const named = files
    .filter((file) => file.startsWith(join(root, "docs")))
    .flatMap((file) =>
      [...textOf(file).matchAll(/`([\w/-]+\/[\w.-]+\.(?:ts|sql|avsc))`/g)].map(
        ([, path]) => ({ file: relative(root, file), path: path! }),
      ),
    );

  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});

test("no comment cites a numbered rule or section of a document outside this repository", () => {
  // Allowed: sections of an RFC, and in docs/guarantees.md, which defines them, the numbers of promises.
  const cited = files.flatMap((file) =>
    textOf(file)
      .split("\n")
      .filter(
        (line) =>
          /\brules? \d|\bfacts\//i.test(line) ||
          (/§/.test(line) && !/RFC \d+ §/.test(line)) ||
          (/\bP\d{1,2}\b/.test(line) && !file.endsWith("guarantees.md")),
      )
      .map((line) => `${relative(root, file)}: ${line.trim()}`),
  );

  expect(cited).toEqual([]);
});

interface Citation {
  readonly file: string;
  readonly page: string;
  readonly heading: string;
}

function citationsOf(file: string): Citation[] {
  // A citation may span two lines of a comment, so line breaks are removed first.
  const text = textOf(file).replaceAll(/\n\s*(\*|\/\/) */g, " ");
  return [...text.matchAll(/docs\/([\w/-]+\.md), "([^"]+)"/g)].map(
    ([, page, heading]) => ({
      file: relative(root, file),
      page: page!,
      heading: heading!,
    }),
  );
}

function headingsOf(page: string): Set<string> {
  const file = join(root, "docs", page);
  return existsSync(file) ? new Set(headingsIn(file)) : new Set();
}

function headingsIn(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, text]) => text!);
}

interface Link {
  readonly file: string;
  readonly target: string;
  readonly anchor: string | undefined;
}

/** The links that lead into this repository. */
function linksOf(file: string): Link[] {
  return [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path, anchor] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path!);
      return { file: relative(root, file), target, anchor };
    });
}

function leads(target: string, anchor: string | undefined): boolean {
  if (!existsSync(target)) return false;
  return (
    anchor === undefined || headingsIn(target).map(slugOf).includes(anchor)
  );
}

/** Whether a path exists, relative to the root or, as docs/kafkajs.md names files, to messaging's `src`. */
function isThere(path: string): boolean {
  return ["", "packages/messaging/src"].some((folder) =>
    existsSync(join(root, folder, path)),
  );
}

/** The anchor that GitHub makes of a heading. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function textOf(file: string): string {
  return readFileSync(file, "utf8");
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() && EXTENSIONS.test(entry.name) ? [path] : [];
  });
}

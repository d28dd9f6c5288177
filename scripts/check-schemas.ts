/**
 * Checks schemas/*.avsc against every frozen version in schemas/history/NAME/N.avsc (FULL_TRANSITIVE). Exits 1 when a schema
 * is incompatible with a frozen version, or has changed without being frozen. `--freeze` adds a changed, compatible schema as
 * its next version.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import {
  judgeEvolution,
  judgeRepeatedRecords,
  type SchemaHistory,
} from "./avro-evolution.ts";

const schemas = new URL("../schemas/", import.meta.url);
const history = new URL("history/", schemas);

const current = new Map(
  readdirSync(schemas)
    .filter((file) => file.endsWith(".avsc"))
    .toSorted()
    .map((file) => [
      file.slice(0, -".avsc".length),
      readFileSync(new URL(file, schemas), "utf8"),
    ]),
);
const frozen = existsSync(history) ? readdirSync(history) : [];
const names = [...new Set([...current.keys(), ...frozen])].toSorted();
const histories = names.map((name): SchemaHistory => ({
  name,
  current: current.get(name),
  versions: versionsOf(name),
}));

if (process.argv.includes("--freeze")) histories.forEach(freeze);
const problems = [
  ...judgeRepeatedRecords(current),
  ...histories.flatMap((each) =>
    judgeEvolution({ ...each, versions: versionsOf(each.name) }),
  ),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** The frozen versions, oldest first: 1.avsc, 2.avsc, … */
function versionsOf(name: string): string[] {
  const folder = new URL(`${name}/`, history);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((file) => Number.parseInt(file, 10))
    .toSorted((a, b) => a - b)
    .map((version) => readFileSync(new URL(`${version}.avsc`, folder), "utf8"));
}

/** Writes the next version, if the only problem is that the current text is not frozen. */
function freeze({ name, current: text, versions }: SchemaHistory): void {
  if (text === undefined) return;
  const asFrozen = { name, current: text, versions: [...versions, text] };
  const isChanged =
    judgeEvolution({ name, current: text, versions }).length > 0;
  if (!isChanged || judgeEvolution(asFrozen).length > 0) return;
  const folder = new URL(`${name}/`, history);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${versions.length + 1}.avsc`, folder), text);
  console.log(`froze ${name} as version ${versions.length + 1}`);
}

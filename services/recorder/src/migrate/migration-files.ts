/** The numbered .sql files: their content and their order. Pure, except for reading the folder. */
import { readFileSync, readdirSync } from "node:fs";
import { MIGRATIONS_FOLDER, sha256 } from "@postrider/runtime";

export interface Migration {
  readonly number: number;
  /** The file's name, without its folder. */
  readonly name: string;
  /** SHA-256 of the file, in hex. Line ends do not count, so that a checkout on Windows has the same checksum. */
  readonly checksum: string;
  readonly statements: readonly string[];
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** All migrations, ascending. Throws when a name is not `NNNN_name.sql`, or the numbers are not 1, 2, 3, … */
export function readMigrations(folder: URL = MIGRATIONS_FOLDER): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  return names.map((name, index) => {
    const number = Number(FILE_NAME.exec(name)?.[1] ?? NaN);
    if (number !== index + 1)
      throw new Error(
        `migration ${name} should be named ${String(index + 1).padStart(4, "0")}_….sql`,
      );
    return parseMigration(
      number,
      name,
      readFileSync(new URL(name, folder), "utf8"),
    );
  });
}

/** A statement ends with a semicolon at the end of a line, so no line of a comment may end with one. Comments stay in the statement, so that ClickHouse's query log shows them. */
export function parseMigration(
  number: number,
  name: string,
  text: string,
): Migration {
  const unix = text.replaceAll("\r\n", "\n");
  const statements = unix
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, "").trim() !== "");
  const checksum = Buffer.from(sha256(unix)).toString("hex");
  return { number, name, checksum, statements };
}

const DATABASE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Accepts a database name that is valid in SQL without quotes. */
export const databaseName = Object.assign(
  (text: string): string => {
    const name = text.trim();
    if (!DATABASE_NAME.test(name))
      throw new Error(
        "must be a database name: letters, digits and _, not beginning with a digit",
      );
    return name;
  },
  { expects: "letters, digits and _, not beginning with a digit" },
);

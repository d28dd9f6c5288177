import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { VERSION } from "./version.ts";

const root = new URL("../../../", import.meta.url);

test("every package and every service has the version that a process tells", () => {
  const folders = ["packages", "services"].flatMap((parent) =>
    readdirSync(new URL(parent, root)).map((name) => `${parent}/${name}/`),
  );

  const others = ["", ...folders].filter((folder) => {
    const text = readFileSync(new URL(`${folder}package.json`, root), "utf8");
    return (JSON.parse(text) as { version: string }).version !== VERSION;
  });

  expect(folders.length).toBeGreaterThan(10);
  expect(others).toEqual([]);
});

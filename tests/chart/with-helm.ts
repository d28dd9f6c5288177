import { test } from "@jest/globals";
import { findHelm } from "./helm.ts";
import { render, type ChartObject } from "./render.ts";

const found = await findHelm();

/** The path of helm; empty if there is none, and then `testWithHelm` skips. */
export const helm = found.helm ?? "";
export const testWithHelm: typeof test.skip =
  found.helm === null ? test.skip : test;
/** Goes to the end of a test's name: why it is skipped. */
export const note = found.why === "" ? "" : ` (${found.why})`;

const renderings = new Map<string, ChartObject[]>();

/** A file of the matrix, rendered once. */
export function rendering(name: string): ChartObject[] {
  const before = renderings.get(name);
  if (before !== undefined) return before;
  const objects = render(helm, name);
  renderings.set(name, objects);
  return objects;
}

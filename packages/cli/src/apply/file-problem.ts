import { lineOf } from "../api.ts";

/** Where in a file something is. */
export interface Place {
  readonly file: string;
  /** From 1; null: it is known of the whole only. */
  readonly line: number | null;
}

export interface FileProblem extends Place {
  /** The path in the document; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

/** `endpoints.yaml:12: endpoints[3].url: …`. */
export function problemLine(problem: FileProblem): string {
  const { file, line, path, message } = problem;
  const place = line === null ? file : `${file}:${line}`;
  return `${place}: ${lineOf({ field: path, message })}`;
}

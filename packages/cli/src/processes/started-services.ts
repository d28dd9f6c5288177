/** Notes of the services that `postrider start` runs beside `dev`: one file per service in `.postrider/started`, so that `status` shows them, too. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isAlive, startOf, type Holder } from "../dev-folder.ts";

/** A service's process and the address of its admin port. */
export interface StartedService {
  readonly name: string;
  readonly adminUrl: string;
}

/** Writes the note of a service; returns the function that removes it. */
export function noteStarted(
  devFolder: string,
  service: StartedService & { readonly pid: number },
): () => void {
  const folder = join(devFolder, "started");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${service.pid}.json`);
  const note: Note = { ...service, startedAt: startOf(service.pid) };
  writeFileSync(path, JSON.stringify(note), { mode: 0o600 });
  return () => rmSync(path, { force: true });
}

/** The noted services whose processes are alive; the notes of dead ones are removed. */
export function startedBeside(devFolder: string): StartedService[] {
  const folder = join(devFolder, "started");
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const note = readNote(path);
    if (note !== null && isAlive(note)) {
      const { name: service, adminUrl } = note;
      return [{ name: service, adminUrl }];
    }
    rmSync(path, { force: true });
    return [];
  });
}

type Note = Holder & StartedService;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return []; // the folder does not exist: `start` was never used
  }
}

function readNote(path: string): Note | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Note; // written by `noteStarted`; a kill may have left it incomplete
  } catch {
    return null;
  }
}

import type { ControlEntry } from "./records.ts";

const EMPTY: ControlEntry = {
  resume: null,
  key: null,
  replay: null,
  eventType: null,
  typePolicy: null,
};

/** The value of a record of the topic `control`: it has the one field that its key says. */
export function controlEntry(of: Partial<ControlEntry>): ControlEntry {
  return { ...EMPTY, ...of };
}

import { visible, type Terminal } from "./terminal.ts";

/** An answer of control's API for people: one field a line. Empty fields are left out. */
export function fieldLines(answer: object, terminal: Terminal): string {
  return Object.entries(answer)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => {
      const shown = typeof value === "object" ? JSON.stringify(value) : value;
      return `${terminal.paint("bold", name.padEnd(20))} ${visible(String(shown))}`;
    })
    .join("\n");
}

import type { ControlEntry } from "@postrider/core";
import type { TypeCatalogue } from "@postrider/event-types";
import type { Table } from "@postrider/messaging";
import type { Check } from "@postrider/runtime";

/** Readiness of what events are held to. Until the topic was read for the first time nobody knows whether any tenant's are; after that a hole there stops only those whose are. */
export function typesCheck(
  types: Pick<TypeCatalogue, "behind">,
  entries: Pick<Table<ControlEntry>, "behind" | "ageMs">,
): Check {
  const wasRead = Number.isFinite(entries.ageMs());
  const behind = wasRead ? types.behind() : entries.behind();
  const detail = behind ?? "nothing waits for them";
  return { name: "event-types", isOk: behind === null, detail };
}

import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { ChangeEvent, FormEvent } from "react";
import { useDraft } from "../parts/use-draft.ts";
import { ACTIONS, SUBJECTS } from "./audit-words.ts";
import {
  AUDIT_FILTERS,
  isFiltered,
  type AuditFilter,
  type SystemSearch,
} from "./system-search.ts";
import styles from "./system.module.css";

/** The id of the field that `/` leads to. */
export const FIRST_FIELD = "audit-subject-id";

const SINCE = [
  { value: "", label: "Any time (30 days)" },
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
];

const TYPED: readonly (readonly [AuditFilter, label: string])[] = [
  ["subjectId", "Id of what was changed"],
  ["actor", "Key id of who changed it"],
  ["tenantId", "Tenant"],
];

/** Choices count at once, typed texts at Enter. */
export function AuditFilters({
  search,
  isOfAllTenants,
  onChange,
}: {
  readonly search: SystemSearch;
  readonly isOfAllTenants: boolean;
  readonly onChange: (changed: SystemSearch) => void;
}) {
  const [draft, setDraft] = useDraft(search);
  const typed = TYPED.filter(([name]) => isOfAllTenants || name !== "tenantId");
  const choice = (name: AuditFilter, known: readonly Choice[]) => ({
    data: withOther(known, search[name] ?? ""),
    value: search[name] ?? "",
    onChange: (event: ChangeEvent<HTMLSelectElement>) =>
      onChange({ [name]: event.currentTarget.value }),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    onChange(
      Object.fromEntries(typed.map(([name]) => [name, draft[name] ?? ""])),
    );
  }

  return (
    <form className={styles.filters} role="search" onSubmit={submit}>
      {typed.map(([name, label]) => (
        <TextInput
          key={name}
          {...(name === "subjectId" && { id: FIRST_FIELD })}
          label={label}
          value={draft[name] ?? ""}
          onChange={(event) =>
            setDraft({ ...draft, [name]: event.currentTarget.value })
          }
        />
      ))}
      <NativeSelect label="What was changed" {...choice("subject", KINDS)} />
      <NativeSelect label="How" {...choice("action", HOW)} />
      <NativeSelect label="When" {...choice("since", SINCE)} />
      <div className={styles.actions}>
        <Button type="submit">Search</Button>
        {isFiltered(search) && (
          <Button
            variant="default"
            onClick={() =>
              onChange(
                Object.fromEntries(AUDIT_FILTERS.map((name) => [name, ""])),
              )
            }
          >
            Clear all
          </Button>
        )}
      </div>
    </form>
  );
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

const KINDS = choicesOf("Anything", SUBJECTS);
const HOW = choicesOf("In any way", ACTIONS);

function choicesOf(any: string, words: readonly string[]): readonly Choice[] {
  return [
    { value: "", label: any },
    ...words.map((value) => ({ value, label: value.replaceAll("_", " ") })),
  ];
}

/** A shared link may have a value that is no choice here, such as several with commas. */
function withOther(known: readonly Choice[], value: string): Choice[] {
  return known.some((choice) => choice.value === value)
    ? [...known]
    : [...known, { value, label: value }];
}

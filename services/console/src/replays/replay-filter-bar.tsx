import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useMemo } from "react";
import styles from "../parts/filters.module.css";
import { SinceSelect } from "../parts/since-select.tsx";
import { TimeField } from "../parts/time-field.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { chosen, toggled } from "../deliveries/delivery-filters.ts";
import {
  hasFilters,
  withoutCursor,
  type ReplaySearch,
} from "./replay-filters.ts";

const STATES = [
  ["running", "Running"],
  ["paused", "Paused"],
  ["done", "Done"],
  ["cancelled", "Cancelled"],
] as const;

const SINCE = [
  { value: "", label: "Any time" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
];

/** Choices count at once, typed texts at Enter. */
export function ReplayFilterBar({
  search,
  isOfAllTenants,
  onChange,
}: {
  readonly search: ReplaySearch;
  readonly isOfAllTenants: boolean;
  /** A cursor belongs to the filters that it was made with: there is none in what is asked for. */
  readonly onChange: (asked: ReplaySearch) => void;
}) {
  const filters = useMemo(() => withoutCursor(search), [search]);
  const [draft, setDraft] = useDraft(filters);
  const text = (name: keyof ReplaySearch) => ({
    value: draft[name] ?? "",
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    onChange(draft);
  }

  return (
    <form className={styles.filters} role="search" onSubmit={submit}>
      <div className={styles.fields}>
        <TextInput
          id="replays-key"
          label="Id of the key that made it"
          {...text("createdBy")}
        />
        {isOfAllTenants && <TextInput label="Tenant" {...text("tenantId")} />}
        <SinceSelect
          label="Made"
          choices={SINCE}
          value={search.since ?? ""}
          onChange={(since) => onChange({ ...filters, since })}
        />
        <TimeField
          label="Until"
          value={draft.until ?? ""}
          onChange={(until) => setDraft({ ...draft, until })}
        />
        <Button type="submit" variant="default">
          Apply
        </Button>
      </div>
      <div className={styles.choices} role="group" aria-label="State">
        {STATES.map(([state, label]) => (
          <button
            key={state}
            type="button"
            aria-pressed={chosen(search.state).includes(state)}
            onClick={() =>
              onChange({ ...filters, state: toggled(search.state, state) })
            }
          >
            {label}
          </button>
        ))}
        {hasFilters(search) && (
          <button
            type="button"
            className={styles.clear}
            onClick={() => onChange({})}
          >
            Clear all
          </button>
        )}
      </div>
    </form>
  );
}

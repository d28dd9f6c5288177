import { Button, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import styles from "../parts/filters.module.css";
import { chosen, toggled } from "../deliveries/delivery-filters.ts";
import { hasFilters, type ReplaySearch } from "./replay-filters.ts";

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
  const { cursor: _, ...filters } = search;
  const [draft, setDraft] = useState<ReplaySearch>(filters);
  useEffect(() => {
    const { cursor: __, ...now } = search;
    setDraft(now); // the URL may change by the browser's own buttons
  }, [search]);
  const text = (name: keyof ReplaySearch) => ({
    value: draft[name] ?? "",
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  const since = search.since ?? "";
  const isCustom = SINCE.every(({ value }) => value !== since);

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
        <NativeSelect
          label="Made"
          data={isCustom ? [...SINCE, since] : SINCE}
          value={since}
          onChange={(event) =>
            onChange({ ...draft, since: event.currentTarget.value })
          }
        />
        <TextInput
          label="Until"
          placeholder="now, 6h or a time"
          {...text("until")}
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
              onChange({ ...draft, state: toggled(search.state, state) })
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

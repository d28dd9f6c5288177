import { Button, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import styles from "../parts/filters.module.css";
import { REASONS } from "../replay/reasons.ts";
import {
  DEFAULT_SINCE,
  type GroupFilter,
  type GroupSearch,
} from "./letter-filters.ts";

const SINCE = [
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: DEFAULT_SINCE, label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
];

const REASON_CHOICES = ["", ...REASONS].map((value) => ({
  value,
  label: value === "" ? "Any reason" : value.replaceAll("_", " "),
}));

/** Choices count at once, typed texts at Enter. */
export function LetterFilterBar({
  search,
  isOfAllTenants,
  onChange,
}: {
  readonly search: GroupSearch;
  readonly isOfAllTenants: boolean;
  readonly onChange: (changed: GroupSearch) => void;
}) {
  const [draft, setDraft] = useState(search);
  useEffect(() => setDraft(search), [search]); // the URL may change by the browser's own buttons
  const text = (name: GroupFilter) => ({
    value: draft[name] ?? "",
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
  });
  const since = search.since ?? DEFAULT_SINCE;
  const isCustom = SINCE.every(({ value }) => value !== since);
  const isFiltered = Object.keys(search).length > 0;

  function submit(event: FormEvent): void {
    event.preventDefault();
    onChange(draft);
  }

  return (
    <form className={styles.filters} role="search" onSubmit={submit}>
      <div className={styles.fields}>
        <TextInput
          id="letters-endpoint"
          label="Endpoint id"
          {...text("endpointId")}
        />
        {isOfAllTenants && <TextInput label="Tenant" {...text("tenantId")} />}
        <NativeSelect
          label="Reason"
          data={REASON_CHOICES}
          value={search.reason ?? ""}
          onChange={(event) =>
            onChange({ ...draft, reason: event.currentTarget.value })
          }
        />
        <NativeSelect
          label="Given up"
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
      <div className={styles.choices} role="group" aria-label="Which">
        <button
          type="button"
          aria-pressed={search.show === "all"}
          onClick={() =>
            onChange({ ...draft, show: search.show === "all" ? "" : "all" })
          }
        >
          Also those delivered since
        </button>
        {isFiltered && (
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

import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import styles from "../parts/filters.module.css";
import { SinceSelect } from "../parts/since-select.tsx";
import { TimeField } from "../parts/time-field.tsx";
import { useDraft } from "../parts/use-draft.ts";
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
  const [draft, setDraft] = useDraft(search);
  const text = (name: GroupFilter) => ({
    value: draft[name] ?? "",
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
  });
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
            onChange({ ...search, reason: event.currentTarget.value })
          }
        />
        <SinceSelect
          label="Given up"
          choices={SINCE}
          value={search.since ?? DEFAULT_SINCE}
          onChange={(since) => onChange({ ...search, since })}
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
      <div className={styles.choices} role="group" aria-label="Which">
        <button
          type="button"
          aria-pressed={search.show === "all"}
          onClick={() =>
            onChange({ ...search, show: search.show === "all" ? "" : "all" })
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

import { Button, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import styles from "../parts/filters.module.css";
import { useDraft } from "../parts/use-draft.ts";
import own from "./endpoints.module.css";
import {
  countOf,
  FILTERS,
  type EndpointSearch,
  type Filter,
} from "./endpoint-filters.ts";

const STATES = [
  ["enabled", "Enabled"],
  ["paused", "Paused"],
  ["disabled", "Disabled"],
] as const;

const EXACT: readonly (readonly [Filter, label: string])[] = [
  ["tenantId", "Tenant"],
  ["eventType", "Event type that it wants"],
  ["externalId", "Your own id"],
];

/** Choices count at once, typed texts at Enter. */
export function EndpointFilterBar({
  search,
  isOfAllTenants,
  onChange,
}: {
  readonly search: EndpointSearch;
  readonly isOfAllTenants: boolean;
  readonly onChange: (changed: EndpointSearch) => void;
}) {
  const [draft, setDraft] = useDraft(search);
  const more = EXACT.filter(([name]) => isOfAllTenants || name !== "tenantId");
  const moreCount = more.filter(([name]) => search[name] !== undefined).length;
  const text = (name: Filter) => ({
    value: draft[name] ?? "",
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    onChange(
      Object.fromEntries(FILTERS.map((name) => [name, draft[name] ?? ""])),
    );
  }

  return (
    <form className={styles.filters} role="search" onSubmit={submit}>
      <div className={own.search}>
        <TextInput
          id="search-text"
          aria-label="A part of the URL, description or id"
          placeholder="A part of the URL, description or id"
          {...text("text")}
        />
        <Button type="submit">Search</Button>
      </div>
      <div className={styles.choices} role="group" aria-label="State">
        {STATES.map(([state, label]) => (
          <button
            key={state}
            type="button"
            aria-pressed={search.state === state}
            onClick={() =>
              onChange({ state: search.state === state ? "" : state })
            }
          >
            {label}
          </button>
        ))}
        {countOf(search) > 0 && (
          <button
            type="button"
            className={styles.clear}
            onClick={() =>
              onChange(Object.fromEntries(FILTERS.map((name) => [name, ""])))
            }
          >
            Clear all
          </button>
        )}
      </div>
      <details className={own.more} open={moreCount > 0}>
        <summary>More filters{moreCount > 0 && ` (${moreCount} set)`}</summary>
        <div className={`${styles.fields} ${own.exact}`}>
          {more.map(([name, label]) => (
            <TextInput key={name} label={label} {...text(name)} />
          ))}
          <Button type="submit" variant="default">
            Apply
          </Button>
        </div>
      </details>
    </form>
  );
}

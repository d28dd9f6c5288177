import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import styles from "../parts/filters.module.css";
import { SinceSelect } from "../parts/since-select.tsx";
import { TimeField } from "../parts/time-field.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { useZone } from "../parts/zone.tsx";
import { fieldOfTime } from "../shown/shown-time.ts";
import own from "./deliveries.module.css";
import {
  chosen,
  countOf,
  FILTERS,
  OUTCOMES,
  toggled,
  type DeliverySearch,
  type Filter,
} from "./delivery-filters.ts";

const STATUSES = [
  ["delivered", "Delivered"],
  ["failed", "Failed, will retry"],
  ["expired", "Given up"],
  ["pending", "Pending"],
] as const;

const SINCE = [
  { value: "", label: "Any time" },
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
];

const OUTCOME_CHOICES = ["", ...OUTCOMES].map((value) => ({
  value,
  label: value === "" ? "Any outcome" : value.replaceAll("_", " "),
}));

/** Fields where something is typed, behind "More filters". */
const TYPED: readonly (readonly [Filter, label: string])[] = [
  ["tenantId", "Tenant"],
  ["endpointId", "Endpoint id"],
  ["eventType", "Event type (order.*)"],
  ["eventId", "Event id"],
  ["statusCode", "Status code (503 or 5xx)"],
  ["deferralReason", "Put off for (rate_limited)"],
  ["deadLetterReason", "Given up, or parked, for (exhausted)"],
  ["replayId", "Made by the replay"],
  ["minAttempts", "Attempts, at least"],
  ["maxAttempts", "Attempts, at most"],
];

const TIMES = [
  ["since", "Received from"],
  ["until", "Received before"],
] as const;

/** Choices count at once, typed texts at Enter. */
export function FilterBar({
  search,
  isOfAllTenants,
  onChange,
}: {
  readonly search: DeliverySearch;
  readonly isOfAllTenants: boolean;
  readonly onChange: (changed: DeliverySearch) => void;
}) {
  const [draft, setDraft] = useDraft(search);
  const { zone } = useZone();
  const more = TYPED.filter(([name]) => isOfAllTenants || name !== "tenantId");
  const hasTime = fieldOfTime(search.since ?? "", zone) !== "";
  const moreCount =
    [
      ...more.map(([name]) => name),
      "outcome" as const,
      "until" as const,
    ].filter((name) => search[name] !== undefined).length + Number(hasTime);
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
      <div className={own.first}>
        <TextInput
          id="search-text"
          aria-label="Id of a delivery or an event, or a part of an error"
          placeholder="Id of a delivery or an event, or a part of an error"
          {...text("text")}
        />
        <SinceSelect
          label="Received"
          isLabelShown={false}
          choices={SINCE}
          value={search.since ?? ""}
          onChange={(since) => onChange({ since })}
        />
        <Button type="submit">Search</Button>
      </div>
      <div className={styles.choices} role="group" aria-label="Status">
        {STATUSES.map(([status, label]) => (
          <button
            key={status}
            type="button"
            aria-pressed={chosen(search.status).includes(status)}
            onClick={() => onChange({ status: toggled(search.status, status) })}
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
        <div className={own.fields}>
          {more.map(([name, label]) => (
            <TextInput key={name} label={label} {...text(name)} />
          ))}
          <NativeSelect
            label="Last outcome"
            data={OUTCOME_CHOICES}
            value={search.outcome ?? ""}
            onChange={(event) =>
              onChange({ outcome: event.currentTarget.value })
            }
          />
          {TIMES.map(([name, label]) => (
            <TimeField
              key={name}
              label={label}
              value={draft[name] ?? ""}
              onChange={(value) => setDraft({ ...draft, [name]: value })}
            />
          ))}
          <Button type="submit" variant="default">
            Apply
          </Button>
        </div>
      </details>
    </form>
  );
}

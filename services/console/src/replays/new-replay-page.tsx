import { Button, NativeSelect, TextInput } from "@mantine/core";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import filters from "../parts/filters.module.css";
import { Nothing } from "../parts/notices.tsx";
import { usePageTitle } from "../parts/page-title.ts";
import { SinceSelect } from "../parts/since-select.tsx";
import { TimeField } from "../parts/time-field.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { REASONS } from "../replay/reasons.ts";
import { RedriveDialog } from "../replay/redrive-dialog.tsx";
import { useSession } from "../session/session-context.ts";
import {
  askedSearch,
  askedSelection,
  type AskedField,
  type AskedSearch,
} from "./new-replay.ts";
import styles from "./replays.module.css";

const route = getRouteApi("/replays/new");

const STATUSES = [
  { value: "", label: "Given up" },
  { value: "delivered", label: "Delivered" },
  { value: "expired,delivered", label: "Given up or delivered" },
];

// A parked delivery is sent by its endpoint's resume.
const REASON_CHOICES = ["", ...REASONS.filter((each) => each !== "paused")].map(
  (value) => ({
    value,
    label: value === "" ? "Any reason" : value.replaceAll("_", " "),
  }),
);

const SINCE = [
  { value: "", label: "Any time" },
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "29d", label: "Last 29 days" },
];

const TIMES = [
  ["receivedSince", "Received from"],
  ["receivedUntil", "Received before"],
  ["deadSince", "Given up from"],
  ["deadUntil", "Given up before"],
] as const;

/** A replay of what a filter selects; before it is made, it shows what that is. */
export function NewReplayPage() {
  usePageTitle("New replay");
  const { caller } = useSession();
  const search = route.useSearch();
  const go = route.useNavigate();
  const navigate = useNavigate();
  const [draft, setDraft] = useDraft(search);
  const [isAsking, setIsAsking] = useState(false);
  const field = (name: AskedField) => ({
    value: draft[name] ?? "",
    onChange: (
      event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement>,
    ) => setDraft({ ...draft, [name]: event.currentTarget.value }),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    const asked: AskedSearch = askedSearch({ ...draft });
    void go({ search: asked, replace: true }).then(() => setIsAsking(true));
  }

  if (caller.role !== "admin")
    return (
      <Nothing title="A reader makes no replays">
        <p>Sign in with the key of an administrator.</p>
      </Nothing>
    );
  return (
    <>
      <p className={styles.back}>
        <Link to="/replays">All replays</Link>
      </p>
      <div className={styles.head}>
        <div>
          <h1>New replay</h1>
          <p className={styles.standing}>
            It sends past deliveries again. A delivery must match all that is
            given; nothing is sent before you have seen how many match.
          </p>
        </div>
      </div>
      <form className={`${styles.card} ${styles.form}`} onSubmit={submit}>
        <div className={filters.fields}>
          {caller.tenantId === null && (
            <TextInput label="Tenant" {...field("tenantId")} />
          )}
          <TextInput label="Endpoint id" {...field("endpointId")} />
          <TextInput
            label="Event types"
            placeholder="order.*, invoice.sent"
            {...field("eventTypes")}
          />
          <NativeSelect label="Status" data={STATUSES} {...field("statuses")} />
          <NativeSelect
            label="Given up for"
            data={REASON_CHOICES}
            {...field("reason")}
          />
          <TextInput
            label="Last status code"
            inputMode="numeric"
            placeholder="503"
            {...field("statusCode")}
          />
          <SinceSelect
            label="Received"
            choices={SINCE}
            value={draft.receivedSince ?? ""}
            onChange={(receivedSince) => setDraft({ ...draft, receivedSince })}
          />
          {TIMES.map(([name, label]) => (
            <TimeField
              key={name}
              label={label}
              value={draft[name] ?? ""}
              onChange={(value) => setDraft({ ...draft, [name]: value })}
            />
          ))}
          <TextInput
            label="At most, a second"
            inputMode="numeric"
            placeholder="control's own limit"
            {...field("ratePerSecond")}
          />
        </div>
        <div className={styles.submit}>
          <Button type="submit">See what it selects…</Button>
        </div>
      </form>
      {isAsking && (
        <RedriveDialog
          title="Send what is selected again"
          selection={askedSelection(search)}
          onClose={() => setIsAsking(false)}
          onMade={({ id }) =>
            void navigate({ to: "/replays/$id", params: { id } })
          }
        />
      )}
    </>
  );
}

import { TextInput } from "@mantine/core";
import { fieldOfTime, timeOfField } from "../shown/shown-time.ts";
import { useZone } from "./zone.tsx";

/** A field for a time of a filter, by the chosen clock. Its value is RFC 3339, as the API and the URL have it; what is none, such as `1h`, is shown as empty. */
export function TimeField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const { zone } = useZone();
  return (
    <TextInput
      type="datetime-local"
      step={1}
      label={`${label} (${zone === "utc" ? "UTC" : "local time"})`}
      value={fieldOfTime(value, zone)}
      onChange={(event) =>
        onChange(timeOfField(event.currentTarget.value, zone))
      }
    />
  );
}

import { NativeSelect } from "@mantine/core";
import { exactTime, fieldOfTime, type Zone } from "../shown/shown-time.ts";
import { useZone } from "./zone.tsx";

export interface SinceChoice {
  /** As the API takes it, such as `6h`. */
  readonly value: string;
  readonly label: string;
}

/** A choice of how long back. What is in the URL and no choice, such as a time, is one as long as it is there. */
export function SinceSelect({
  label,
  isLabelShown = true,
  choices,
  value,
  onChange,
}: {
  readonly label: string;
  readonly isLabelShown?: boolean;
  readonly choices: readonly SinceChoice[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const { zone } = useZone();
  const isKnown = choices.some((choice) => choice.value === value);
  return (
    <NativeSelect
      {...(isLabelShown ? { label } : { "aria-label": label })}
      data={isKnown ? [...choices] : [...choices, otherChoice(value, zone)]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function otherChoice(value: string, zone: Zone): SinceChoice {
  const label =
    fieldOfTime(value, zone) === ""
      ? `Last ${value}`
      : `From ${exactTime(Date.parse(value), zone)}`;
  return { value, label };
}

import { useEffect, useRef } from "react";

/** A box to choose a row, or all rows. `isPart`: some of them are chosen. */
export function ChooseBox({
  label,
  isChosen,
  isPart = false,
  whyNot = null,
  onToggle,
}: {
  readonly label: string;
  readonly isChosen: boolean;
  readonly isPart?: boolean;
  /** Why it cannot be chosen. */
  readonly whyNot?: string | null;
  readonly onToggle: () => void;
}) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (ref.current !== null) ref.current.indeterminate = isPart;
  }, [isPart]);
  return (
    <input
      ref={ref}
      type="checkbox"
      aria-label={whyNot === null ? label : `${label}: ${whyNot}`}
      {...(whyNot !== null && { title: whyNot })}
      checked={isChosen}
      disabled={whyNot !== null}
      onChange={onToggle}
    />
  );
}

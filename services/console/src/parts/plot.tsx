import { thousandths } from "../shown/chart-lines.ts";
import { placeOn, type Axis } from "../shown/chart-scale.ts";
import styles from "./line-chart.module.css";

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
};

/** The lines' frame, with its axes. One of the times is chosen by the pointer, or by keys as on any slider; `text` is read out for it. */
export function Plot({
  label,
  text,
  times,
  at,
  isChosen,
  onChoose,
  along,
  up,
  children,
}: {
  readonly label: string;
  readonly text: string;
  /** Oldest first, and at least one. */
  readonly times: readonly number[];
  /** One of them. */
  readonly at: number;
  readonly isChosen: boolean;
  readonly onChoose: (time: number | null) => void;
  readonly along: Axis;
  readonly up: Axis;
  /** Paths in a square of 1000. */
  readonly children: React.ReactNode;
}) {
  const index = times.indexOf(at);

  function onKeyDown(event: React.KeyboardEvent): void {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    const next = Math.min(Math.max(index + step, 0), times.length - 1);
    onChoose(times[next] ?? null);
  }

  function onPointerMove(event: React.PointerEvent): void {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const time =
      along.from + ((event.clientX - left) / width) * (along.to - along.from);
    onChoose(nearest(times, time));
  }

  const x = thousandths(placeOn(along, at));
  return (
    <div className={styles.plot}>
      <div className={styles.up} aria-hidden="true">
        {up.ticks.map(({ value, label: shown }) => (
          <span key={value}>{shown}</span>
        ))}
      </div>
      <div
        className={styles.area}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={times.length - 1}
        aria-valuenow={index}
        aria-valuetext={text}
        onKeyDown={onKeyDown}
        onBlur={() => onChoose(null)}
        onPointerMove={onPointerMove}
        onPointerDown={onPointerMove}
        onPointerLeave={() => onChoose(null)}
      >
        <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden>
          <path
            className={styles.grid}
            d={up.ticks
              .map(
                ({ value }) => `M0 ${thousandths(1 - placeOn(up, value))}H1000`,
              )
              .join("")}
          />
          {isChosen && <path className={styles.cursor} d={`M${x} 0V1000`} />}
          {children}
        </svg>
      </div>
      <div className={styles.along} aria-hidden="true">
        {along.ticks.map(({ value, label: shown }) => (
          <span
            key={value}
            style={{ insetInlineStart: `${placeOn(along, value) * 100}%` }}
          >
            {shown}
          </span>
        ))}
      </div>
    </div>
  );
}

function nearest(times: readonly number[], time: number): number | null {
  return times.reduce<number | null>(
    (best, each) =>
      best === null || Math.abs(each - time) < Math.abs(best - time)
        ? each
        : best,
    null,
  );
}

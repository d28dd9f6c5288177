import { type ReactNode, useEffect, useRef } from "react";

/** Scrolls to what it has whenever that is about something new: the form may be longer than the window. */
export function InView({
  of,
  children,
}: {
  readonly of: unknown;
  readonly children: ReactNode;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A newer browser answers with a promise, which is nothing for an effect to return.
    ref.current?.scrollIntoView({ block: "center" });
  }, [of]);
  return <div ref={ref}>{children}</div>;
}

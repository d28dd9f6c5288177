import { createContext, useContext, useEffect, useState } from "react";

const NowContext = createContext(0);

const EVERY_MS = 5_000;

/** One clock for all times that are shown relative to now. */
export function NowProvider({
  children,
}: {
  readonly children: React.ReactNode;
}) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return <NowContext value={now}>{children}</NowContext>;
}

export function useNow(): number {
  return useContext(NowContext);
}

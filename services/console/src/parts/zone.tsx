import { createContext, useContext, useState } from "react";
import type { Zone } from "../shown/shown-time.ts";

interface ChosenZone {
  readonly zone: Zone;
  readonly setZone: (zone: Zone) => void;
}

const ZoneContext = createContext<ChosenZone>({
  zone: "utc",
  setZone: () => undefined,
});

/** By which clock all times are shown. The choice is remembered: with that of the colours it is all that outlives the tab. */
export function ZoneProvider({
  children,
}: {
  readonly children: React.ReactNode;
}) {
  const [zone, setZone] = useState(remembered);
  return (
    <ZoneContext
      value={{
        zone,
        setZone: (chosen) => {
          remember(chosen);
          setZone(chosen);
        },
      }}
    >
      {children}
    </ZoneContext>
  );
}

export function useZone(): ChosenZone {
  return useContext(ZoneContext);
}

const KEY = "postrider-times";

/** A browser may refuse its storage: then the choice lasts as long as the tab. */
function remembered(): Zone {
  try {
    return localStorage.getItem(KEY) === "local" ? "local" : "utc";
  } catch {
    return "utc";
  }
}

function remember(zone: Zone): void {
  try {
    localStorage.setItem(KEY, zone);
  } catch {
    // See above.
  }
}

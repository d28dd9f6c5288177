import { Sparkline } from "../parts/line-chart.tsx";
import { counted } from "../shown/amounts.ts";
import { HEALTH_WINDOW, type EndpointHealth } from "./use-health.ts";

/** How the attempts at an endpoint went, hour by hour. */
export function HealthLine({ of }: { readonly of: EndpointHealth }) {
  const failed = of.attempts - of.delivered;
  return (
    <Sparkline
      label={`By the hour, last ${HEALTH_WINDOW.words}: ${counted(of.attempts, "attempt")}, of which ${failed === 0 ? "none" : failed} failed`}
      series={of.lines}
      unit=""
    />
  );
}

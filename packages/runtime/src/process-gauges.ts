import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Meter } from "./effects.ts";

/** Metrics of the process itself. `collect` reads them into the meter; call it for each request of the metrics page. */
export interface ProcessGauges {
  collect(): void;
  stop(): void;
}

/** Readiness, heap, memory, CPU, open sockets, timers and other resources, and event loop lag since the last `collect`. */
export function createProcessGauges(
  meter: Meter,
  isReady: () => boolean,
): ProcessGauges {
  const ready = meter.gauge(
    "postrider_ready",
    "1 while /readyz answers 200; which check fails, and why, is in its answer.",
  );
  const heap = meter.gauge("postrider_heap_used_bytes", "Heap in use.");
  const rss = meter.gauge(
    "postrider_resident_memory_bytes",
    "Resident memory.",
  );
  const external = meter.gauge(
    "postrider_external_memory_bytes",
    "Memory of buffers, outside the heap.",
  );
  const cpu = meter.gauge("postrider_cpu_seconds", "CPU used since the start.");
  const resources = meter.gauge(
    "postrider_active_resources",
    "What keeps the event loop alive, by type.",
    ["type"],
  );
  const sockets = meter.gauge("postrider_open_sockets", "Open sockets.");
  const timers = meter.gauge("postrider_active_timers", "Pending timers.");
  const lag = meter.gauge(
    "postrider_event_loop_lag_seconds",
    "How late the event loop was since the last scrape.",
    ["quantile"],
  );
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  const seenTypes = new Set<string>();
  return {
    collect() {
      ready.set(isReady() ? 1 : 0);
      const memory = process.memoryUsage();
      heap.set(memory.heapUsed);
      rss.set(memory.rss);
      external.set(memory.external);
      const { user, system } = process.cpuUsage();
      cpu.set((user + system) / 1e6);
      const counts = countByType(process.getActiveResourcesInfo());
      for (const type of counts.keys()) seenTypes.add(type);
      for (const type of seenTypes)
        resources.set(counts.get(type) ?? 0, { type });
      sockets.set(sum(counts, /SocketWrap$/));
      timers.set(counts.get("Timeout") ?? 0);
      lag.set(lagSeconds(delay.percentile(50)), { quantile: "0.5" });
      lag.set(lagSeconds(delay.percentile(99)), { quantile: "0.99" });
      lag.set(lagSeconds(delay.max), { quantile: "1" });
      delay.reset();
    },
    stop: () => delay.disable(),
  };
}

/** Each tick wakes the process: at 20 ms that was a quarter of what an idle one used. A longer block is always seen, a shorter one in part. */
const LAG_RESOLUTION_MS = 100;

/** Event loop lag in seconds. The monitor reports the time between two ticks of its own timer, in nanoseconds; what exceeds the timer's period is lag. Before the first tick the lag is 0. */
function lagSeconds(nanoseconds: number): number {
  if (!Number.isFinite(nanoseconds)) return 0;
  return Math.max(nanoseconds / 1e6 - LAG_RESOLUTION_MS, 0) / 1e3;
}

function countByType(types: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

function sum(counts: ReadonlyMap<string, number>, type: RegExp): number {
  let total = 0;
  for (const [name, count] of counts) if (type.test(name)) total += count;
  return total;
}

/** Each process: readiness, event loop, CPU, memory. */
import { of, one, PER_SECOND, type Dashboard } from "./panel.ts";

export const processes: Dashboard = {
  uid: "postrider-processes",
  title: "Postrider processes",
  panels: [
    {
      title: "Ready",
      about: "1 while /readyz answers 200.",
      unit: "short",
      queries: one(of("postrider_ready"), "{{service}} {{instance}}"),
    },
    {
      title: "Event loop lag, p99",
      about:
        "Since the last scrape. Above a few hundred milliseconds heartbeats are at risk.",
      unit: "s",
      queries: one(
        of("postrider_event_loop_lag_seconds", 'quantile="0.99"'),
        "{{service}} {{instance}}",
      ),
    },
    {
      title: "CPU",
      about: "Cores. One process uses little more than one.",
      unit: "short",
      queries: one(
        `rate(${of("postrider_cpu_seconds")}${PER_SECOND})`,
        "{{service}} {{instance}}",
      ),
    },
    {
      title: "Resident memory",
      about: "",
      unit: "bytes",
      queries: one(
        of("postrider_resident_memory_bytes"),
        "{{service}} {{instance}}",
      ),
    },
    {
      title: "Heap in use",
      about: "",
      unit: "bytes",
      queries: one(of("postrider_heap_used_bytes"), "{{service}} {{instance}}"),
    },
    {
      title: "Memory of buffers",
      about: "Outside the heap: what was fetched, and what is to be written.",
      unit: "bytes",
      queries: one(
        of("postrider_external_memory_bytes"),
        "{{service}} {{instance}}",
      ),
    },
    {
      title: "Bytes of unfinished records",
      about: "At most 256 MiB in a runner.",
      unit: "bytes",
      queries: one(of("postrider_open_bytes"), "{{stage}} {{instance}}"),
    },
    {
      title: "Open sockets",
      about: "To Kafka, ClickHouse, endpoints and callers.",
      unit: "short",
      queries: one(of("postrider_open_sockets"), "{{service}} {{instance}}"),
    },
    {
      title: "Timers",
      about: "A number that only grows is a leak.",
      unit: "short",
      queries: one(of("postrider_active_timers"), "{{service}} {{instance}}"),
    },
  ],
};

/** The pages that the head leads to, in its order. `g` and the key go there, too. */
export const PAGES = [
  { to: "/overview", name: "Overview", key: "o" },
  { to: "/deliveries", name: "Deliveries", key: "d" },
  { to: "/endpoints", name: "Endpoints", key: "e" },
  { to: "/dead-letters", name: "Dead letters", key: "l" },
  { to: "/replays", name: "Replays", key: "r" },
  { to: "/sql", name: "SQL", key: "q" },
  { to: "/system", name: "System", key: "s" },
] as const;

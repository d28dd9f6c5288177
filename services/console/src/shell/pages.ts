/** The pages that the head leads to, in its order. `g` and the key go there, too. */
export const PAGES = [
  { to: "/deliveries", name: "Deliveries", key: "d" },
  { to: "/endpoints", name: "Endpoints", key: "e" },
] as const;

/** What the palette offers for what is typed into it. */

/** `href` goes there; `command` is for the shell to do. */
export type PaletteEntry = {
  readonly name: string;
  readonly kind: "Open" | "Page" | "Deliveries" | "Do";
} & (
  | { readonly href: string }
  | { readonly command: "scheme" | "zone" | "help" | "sign-out" }
);

/** Questions that people have often, with the filters that answer them. */
const SAVED: readonly (readonly [name: string, query: string])[] = [
  ["Failed in the last hour", "status=failed,expired&since=1h"],
  ["Given up in the last 24 hours", "status=expired&since=24h"],
  ["Waiting for a retry", "status=failed"],
  ["Timeouts in the last hour", "outcome=timeout&since=1h"],
  ["Receivers answer 5xx, last hour", "statusCode=5xx&since=1h"],
  ["Needed three attempts or more", "minAttempts=3&since=24h"],
  ["As they come in (live)", "live=1"],
];

const COMMANDS = [
  { name: "Change between light and dark colours", command: "scheme" },
  { name: "Change between UTC and local times", command: "zone" },
  { name: "Show the keys", command: "help" },
  { name: "Sign out", command: "sign-out" },
] as const;

/** Where the palette may lead. */
export interface Places {
  readonly pages: readonly { readonly to: string; readonly name: string }[];
  /** The paths of all routes, such as `/deliveries/$id`. */
  readonly paths: ReadonlySet<string>;
}

/** What has all words of the text, and what it may be the id of: that first, where it looks like an id. */
export function paletteEntries(
  text: string,
  places: Places,
): readonly PaletteEntry[] {
  const all: readonly PaletteEntry[] = [
    ...places.pages.map(({ to, name }) => ({
      name,
      kind: "Page" as const,
      href: to,
    })),
    ...SAVED.map(([name, query]) => ({
      name,
      kind: "Deliveries" as const,
      href: `/deliveries?${query}`,
    })),
    ...COMMANDS.map((each) => ({ ...each, kind: "Do" as const })),
  ];
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = all.filter(({ name, kind }) =>
    words.every((word) => `${kind} ${name}`.toLowerCase().includes(word)),
  );
  const named = namedEntries(text.trim(), places.paths);
  return text.includes("_") ? [...named, ...matching] : [...matching, ...named];
}

/** Ids say what they are of, but for an event's, which is any text. */
function namedEntries(
  id: string,
  paths: ReadonlySet<string>,
): readonly PaletteEntry[] {
  if (id === "" || id.length > 256 || /\s/.test(id)) return [];
  const inUrl = encodeURIComponent(id);
  const open = (what: string, path: string): readonly PaletteEntry[] =>
    paths.has(`${path}/$id`)
      ? [{ name: `${what} ${id}`, kind: "Open", href: `${path}/${inUrl}` }]
      : [];
  const filtered = (what: string, filter: string): PaletteEntry => ({
    name: `Deliveries ${what} ${id}`,
    kind: "Open",
    href: `/deliveries?${filter}=${inUrl}`,
  });
  switch (/^(dlv|ep|inline|rpl)_[\w-]+$/.exec(id)?.[1]) {
    case "dlv":
      return open("Delivery", "/deliveries");
    case "ep":
      return [
        ...open("Endpoint", "/endpoints"),
        filtered("to endpoint", "endpointId"),
      ];
    case "inline":
      return [filtered("to", "endpointId")];
    case "rpl":
      return open("Replay", "/replays");
    default:
      return [...open("Event", "/events"), filtered("of event", "eventId")];
  }
}

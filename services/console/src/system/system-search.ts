/** What may be in the URL of the System page. */

export const TABS = [
  { tab: "services", name: "Services" },
  { tab: "stages", name: "Stages" },
  { tab: "topics", name: "Topics" },
  { tab: "config", name: "Configuration" },
  { tab: "audit", name: "Audit log" },
  { tab: "keys", name: "API keys" },
  { tab: "secrets", name: "Encryption keys" },
  { tab: "types", name: "Event types" },
] as const;
export type Tab = (typeof TABS)[number]["tab"];

/** The filters of the audit trail: the API's own parameters. */
export const AUDIT_FILTERS = [
  "subject",
  "action",
  "since",
  "subjectId",
  "actor",
  "tenantId",
] as const;
export type AuditFilter = (typeof AUDIT_FILTERS)[number];

/** What a tab takes beside its name. */
const PARAMETERS: Readonly<Record<Tab, readonly string[]>> = {
  services: [],
  stages: ["open"],
  topics: [],
  config: [],
  audit: [...AUDIT_FILTERS, "cursor", "open"],
  keys: ["tenantId", "cursor"],
  secrets: [],
  types: ["tenantId", "cursor", "open"],
};

export type SystemSearch = {
  /** Left out: the first tab. */
  readonly tab?: Tab;
} & {
  /** `open`: the row whose details are shown. */
  readonly [K in AuditFilter | "cursor" | "open"]?: string;
};

/** Parses what is in the URL. What the tab does not take, or is empty, is dropped: the API refuses parameters that it does not know. */
export function systemSearch(
  given: Readonly<Record<string, unknown>>,
): SystemSearch {
  const tab = TABS.find((one) => one.tab === given["tab"])?.tab ?? "services";
  return {
    ...(tab !== "services" && { tab }),
    ...Object.fromEntries(
      PARAMETERS[tab].flatMap((name) => {
        const value = given[name];
        return typeof value === "string" && value.trim() !== ""
          ? [[name, value.trim()]]
          : [];
      }),
    ),
  };
}

/** The same with some parameters set or, where empty, removed, and from the first page: a cursor belongs to the filters that it was made with. */
export function withParameters(
  search: SystemSearch,
  changed: Readonly<Record<string, string | undefined>>,
): SystemSearch {
  const { cursor: _, open: __, ...rest } = search;
  return systemSearch({ ...rest, ...changed });
}

/** Whether the list is filtered. */
export function isFiltered(search: SystemSearch): boolean {
  return AUDIT_FILTERS.some((name) => search[name] !== undefined);
}

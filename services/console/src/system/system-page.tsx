import { getRouteApi, Link } from "@tanstack/react-router";
import { usePageTitle } from "../parts/page-title.ts";
import { AuditTab } from "./audit-tab.tsx";
import { ConfigTab } from "./config-tab.tsx";
import { EventTypesTab } from "./event-types-tab.tsx";
import { KeysTab } from "./keys-tab.tsx";
import { SecretsTab } from "./secrets-tab.tsx";
import { ServicesTab } from "./services-tab.tsx";
import { StagesTab } from "./stages-tab.tsx";
import { TABS, type Tab } from "./system-search.ts";
import { TopicsTab } from "./topics-tab.tsx";
import styles from "./system.module.css";

const route = getRouteApi("/system");

/** The installation itself: its state, what it runs with, who changed what, and who may. */
export function SystemPage() {
  const { tab = "services" } = route.useSearch();
  usePageTitle(TABS.find((one) => one.tab === tab)?.name ?? "System");
  return (
    <>
      <h1>System</h1>
      <nav className={styles.tabs} aria-label="System">
        {TABS.map((one) => (
          <Link
            key={one.tab}
            to="/system"
            search={{ tab: one.tab }}
            // The router marks a link whose search is a part of the URL's; the first tab is there without its name, too.
            {...(one.tab === tab && { "aria-current": "page" as const })}
          >
            {one.name}
          </Link>
        ))}
      </nav>
      <Shown tab={tab} />
    </>
  );
}

function Shown({ tab }: { readonly tab: Tab }) {
  switch (tab) {
    case "services":
      return <ServicesTab />;
    case "stages":
      return <StagesTab />;
    case "topics":
      return <TopicsTab />;
    case "config":
      return <ConfigTab />;
    case "audit":
      return <AuditTab />;
    case "keys":
      return <KeysTab />;
    case "secrets":
      return <SecretsTab />;
    case "types":
      return <EventTypesTab />;
  }
}

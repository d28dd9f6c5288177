import { Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { useZone } from "../parts/zone.tsx";
import { useSession, useSessionStore } from "../session/session-context.ts";
import { inWords } from "../session/session.ts";
import { Help } from "./help.tsx";
import { PageLinks } from "./page-links.tsx";
import { PAGES } from "./pages.ts";
import type { PaletteEntry } from "./palette-entries.ts";
import { Palette } from "./palette.tsx";
import { useReturnedFocus } from "./returned-focus.ts";
import { SchemeButton, useSchemeSwitch } from "./scheme-button.tsx";
import styles from "./shell.module.css";
import { useKeys } from "./use-keys.ts";
import { ZoneButton } from "./zone-button.tsx";

/** What is around every page. */
export function Shell() {
  const { caller } = useSession();
  const store = useSessionStore();
  const navigate = useNavigate();
  const [shown, setShown] = useState<"help" | "palette" | null>(null);
  const run = useRun(() => setShown("help"));
  useReturnedFocus();
  useKeys({
    help: () => setShown("help"),
    palette: () => setShown("palette"),
    ...Object.fromEntries(
      PAGES.map(({ key, to }) => [`go ${key}`, () => void navigate({ to })]),
    ),
  });
  return (
    <>
      <a className={styles.skip} href="#main" onClick={skipToMain}>
        Skip to the page
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <div className={styles.id}>
            <Link to="/" className={styles.brand}>
              Postrider
            </Link>
            <span className={styles.who} title={`Key ${caller.keyId}`}>
              {inWords(caller)}
            </span>
          </div>
          <button
            type="button"
            className={styles.find}
            aria-keyshortcuts="Control+K Meta+K"
            onClick={() => setShown("palette")}
          >
            Go to… <kbd>Ctrl K</kbd>
          </button>
          <ZoneButton />
          <SchemeButton />
          <button
            type="button"
            className={`${styles.quiet} ${styles.help}`}
            onClick={() => setShown("help")}
            aria-label="Help: keys"
          >
            ?
          </button>
          <button
            type="button"
            className={styles.quiet}
            onClick={() => store.signOut()}
          >
            Sign out
          </button>
        </div>
        <PageLinks />
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      {shown === "help" && <Help onClose={() => setShown(null)} />}
      {shown === "palette" && (
        <Palette
          onClose={() => setShown(null)}
          onChosen={(entry) => {
            setShown(null);
            run(entry);
          }}
        />
      )}
    </>
  );
}

/** What the palette's entries do. */
function useRun(showHelp: () => void): (entry: PaletteEntry) => void {
  const { history } = useRouter();
  const store = useSessionStore();
  const scheme = useSchemeSwitch();
  const { zone, setZone } = useZone();
  return (entry) => {
    if ("href" in entry) return history.push(entry.href);
    switch (entry.command) {
      case "scheme":
        return scheme.change();
      case "zone":
        return setZone(zone === "utc" ? "local" : "utc");
      case "help":
        return showHelp();
      case "sign-out":
        return store.signOut();
    }
  };
}

/** Without following the link: the fragment is the router's. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

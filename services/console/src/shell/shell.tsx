import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useSession, useSessionStore } from "../session/session-context.ts";
import { inWords } from "../session/session.ts";
import { Help } from "./help.tsx";
import { PAGES } from "./pages.ts";
import { SchemeButton } from "./scheme-button.tsx";
import styles from "./shell.module.css";
import { useKeys } from "./use-keys.ts";

/** What is around every page. */
export function Shell() {
  const { caller } = useSession();
  const store = useSessionStore();
  const navigate = useNavigate();
  const [hasHelp, setHasHelp] = useState(false);
  useKeys({
    help: () => setHasHelp(true),
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
        <Link to="/" className={styles.brand}>
          Postrider
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(({ to, name }) => (
            <Link
              key={to}
              to={to}
              className={styles.page}
              activeProps={{ "aria-current": "page" }}
            >
              {name}
            </Link>
          ))}
        </nav>
        <div className={styles.user}>
          <span title={`Key ${caller.keyId}`}>{inWords(caller)}</span>
          <SchemeButton />
          <button
            type="button"
            className={styles.quiet}
            onClick={() => setHasHelp(true)}
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
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      {hasHelp && <Help onClose={() => setHasHelp(false)} />}
    </>
  );
}

/** Without following the link: the fragment is the router's. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

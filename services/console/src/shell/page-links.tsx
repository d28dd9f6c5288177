import { Link, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { PAGES } from "./pages.ts";
import styles from "./shell.module.css";

/** The pages. Where the head is too narrow for all of them they scroll, and the one that is shown is in view. */
export function PageLinks() {
  const nav = useRef<HTMLElement>(null);
  const path = useLocation({ select: ({ pathname }) => pathname });
  useEffect(() => {
    const current = nav.current?.querySelector("[aria-current]");
    // Sideways alone: the page itself stays where it is.
    if (nav.current && current instanceof HTMLElement)
      nav.current.scrollLeft =
        current.offsetLeft +
        (current.offsetWidth - nav.current.clientWidth) / 2;
  }, [path]);
  return (
    <nav ref={nav} className={styles.pages} aria-label="Pages">
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
  );
}

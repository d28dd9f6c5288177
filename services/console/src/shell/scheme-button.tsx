import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import styles from "./shell.module.css";

/** What changes between light and dark; without a choice the system's is taken. */
export function useSchemeSwitch() {
  // Otherwise Mantine would stop transitions by a <style> element, which the Content-Security-Policy refuses.
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const other = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  return { other, change: () => setColorScheme(other) } as const;
}

export function SchemeButton() {
  const { other, change } = useSchemeSwitch();
  return (
    <button
      type="button"
      className={styles.quiet}
      aria-label={`Change to ${other} colours`}
      onClick={change}
    >
      <svg viewBox="0 0 16 16" width="16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.500" fill="none" stroke="currentColor" />
        <path d="M8 2.500a5.500 5.500 0 0 1 0 11z" fill="currentColor" />
      </svg>
    </button>
  );
}

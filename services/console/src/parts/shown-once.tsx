import { Button } from "@mantine/core";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useReducer,
  useRef,
} from "react";
import { ApiProblem } from "../api/api-problem.ts";
import { CopyButton } from "./copy-button.tsx";
import styles from "./dialog.module.css";
import { Dialog } from "./dialog.tsx";
import { keepFocus } from "./lost-focus.ts";
import { Failure } from "./notices.tsx";
import {
  NOTHING_MADE,
  madeAfter,
  type MadeEvent,
  type What,
} from "./made-once.ts";

const Tell = createContext<(event: MadeEvent<ReactNode>) => void>(
  () => undefined,
);

/**
 * Shows secrets that no answer has twice. It is above the pages and the session, so neither a page that is left while its secret is
 * being made nor a key that ends meanwhile takes one away: only "I have stored it" does.
 */
export function ShownOnceProvider({
  children,
}: {
  readonly children: ReactNode;
}) {
  const [{ pending, ended }, tell] = useReducer(
    madeAfter<ReactNode>,
    NOTHING_MADE,
  );
  const [first] = ended;
  useAskedBeforeUnload(pending > 0 || first?.kind === "made");
  // The page where it was asked for may be gone, and with it what had the focus.
  useEffect(() => {
    if (first === undefined) keepFocus();
  }, [first]);
  const close = (): void => tell({ kind: "closed" });
  return (
    <Tell value={tell}>
      {children}
      {first?.kind === "made" && (
        <Dialog title={`The new ${first.what}`}>
          <p>{first.note}</p>
          <output className={styles.secret}>{first.value}</output>
          <div className={styles.buttons}>
            <CopyButton text={first.value}>
              {`Copy the ${first.what}`}
            </CopyButton>
            <Button size="xs" onClick={close}>
              I have stored it
            </Button>
          </div>
        </Dialog>
      )}
      {first?.kind === "failed" && (
        <Dialog title={`There is no new ${first.what}`} onClose={close}>
          <p>You have left the page where you had asked for it.</p>
          <Failure error={first.error} />
          <div className={styles.buttons}>
            <Button onClick={close}>Close</Button>
          </div>
        </Dialog>
      )}
    </Tell>
  );
}

/** Waits for what makes a secret, and then shows it. Where that fails and the caller is gone, the failure is shown, too. */
export function useMaking(
  what: What,
): <T>(
  asked: Promise<T>,
  shownOf: (made: T) => { readonly value: string; readonly note: ReactNode },
) => Promise<T> {
  const tell = useContext(Tell);
  const isLeft = useRef(false);
  useEffect(() => {
    isLeft.current = false;
    return () => void (isLeft.current = true);
  }, []);
  return async (asked, shownOf) => {
    tell({ kind: "asked" });
    try {
      const made = await asked;
      tell({ kind: "made", what, ...shownOf(made) });
      return made;
    } catch (error) {
      // A key that is refused is told where another one is asked for.
      const isRefused = error instanceof ApiProblem && error.status === 401;
      const isTold = !isLeft.current || isRefused;
      tell(isTold ? { kind: "told" } : { kind: "failed", what, error });
      throw error;
    }
  };
}

/** The browser asks whoever closes or reloads the tab whether they mean it. */
function useAskedBeforeUnload(isAsked: boolean): void {
  useEffect(() => {
    if (!isAsked) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isAsked]);
}

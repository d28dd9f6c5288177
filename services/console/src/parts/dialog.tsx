import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import styles from "./dialog.module.css";

/** The browser's own modal dialog: it keeps the focus inside, closes at Escape, and returns the focus to where it was. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  /** Left out: it has to be answered, so neither Escape nor a gesture closes it. */
  readonly onClose?: () => void;
  readonly children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Not an effect: it would close after the dialog has left the page, and a browser then does not return the focus.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={styles.dialog}
      // Without it a second Escape closes a dialog whatever is done about the first.
      closedby={onClose === undefined ? "none" : "closerequest"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}

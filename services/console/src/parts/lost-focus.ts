/** Nothing has the focus, or only the page as a whole. */
export function isFocusLost(): boolean {
  const { activeElement } = document;
  return (
    activeElement === null ||
    activeElement === document.body ||
    activeElement.id === "main"
  );
}

/** A focus that went with what had it is on the page. */
export function keepFocus(): void {
  if (isFocusLost())
    document
      .querySelector<HTMLElement>("#main")
      ?.focus({ preventScroll: true });
}

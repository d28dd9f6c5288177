/** Types a text where the cursor is. So that it can be undone, it goes the way that a key press does: what is old about that call has no other. */
export function insertText(field: HTMLTextAreaElement, text: string): void {
  field.focus();
  // oxlint-disable-next-line typescript/no-deprecated -- see above
  document.execCommand("insertText", false, text);
}

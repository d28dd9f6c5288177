/** Types a text where the cursor is, as key presses would: the browser's undo takes it back. No call but this deprecated one does that. */
export function insertText(field: HTMLTextAreaElement, text: string): void {
  field.focus();
  document.execCommand("insertText", false, text);
}

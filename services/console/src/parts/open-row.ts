/** A table row's `onClick`: opens what the row is about, unless a text of it is being marked or something in it was meant. */
export function openRow(open: () => void): (event: React.MouseEvent) => void {
  return (event) => {
    const isText = String(getSelection()) !== "";
    const target = event.target as Element; // a click's target is an element
    if (!isText && target.closest("a, button, input, label") === null) open();
  };
}

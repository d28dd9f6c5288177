/** Gives the browser a file to save. It is made of what is on the page, so no URL needs a key. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(
    new Blob([text], { type: `${type};charset=utf-8` }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read it by then, or holds it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Whether it is what runs a query: Ctrl or Cmd with Enter. Then it does nothing else. */
export function isRunKey(event: React.KeyboardEvent): boolean {
  const isIt = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (isIt) event.preventDefault();
  return isIt;
}

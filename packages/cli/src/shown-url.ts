/** The URL as it may be shown: without a user and a password. What is no URL is returned as it is. */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.username === "" && url.password === "")) return text;
  url.username = "";
  url.password = "";
  return url.href;
}

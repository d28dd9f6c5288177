/** A request as a command for a shell. */
export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly encoding: "utf8" | "base64";
}

/** Linux takes no single argument of more than 128 KiB. */
const MAX_ARGUMENT = 100_000;

/** The body goes through a pipe where it is no text, since a shell's word can hold no zero byte, or where it is too long for an argument. */
export function curlOf(request: CurlRequest): string {
  const { method, url, headers, body, encoding } = request;
  const isText = encoding === "utf8" && !body.includes("\0");
  const bytes = new TextEncoder().encode(body);
  const isPiped = !isText || bytes.length > MAX_ARGUMENT;
  const command = [
    // Without it curl makes several requests of brackets and braces in the address.
    `curl --globoff --request ${quoted(method)} ${quoted(url)}`,
    ...Object.entries(headers).map(
      ([name, value]) => `  --header ${quoted(`${name}: ${value}`)}`,
    ),
    // `--data-raw` takes a body that begins with @ as it is; `--data-binary` would read a file.
    isPiped ? "  --data-binary @-" : `  --data-raw ${quoted(body)}`,
  ].join(" \\\n");
  if (!isPiped) return command;
  const source = isText
    ? `printf %s ${quoted(body)}`
    : `printf %s ${quoted(base64Of(body, encoding))} | base64 --decode`;
  return `${source} | \\\n${command}`;
}

/** In single quotes a shell changes nothing. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function base64Of(body: string, encoding: "utf8" | "base64"): string {
  if (encoding === "base64") return body;
  const bytes = new TextEncoder().encode(body);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

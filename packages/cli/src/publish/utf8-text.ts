import { CliError, EXIT } from "../cli-error.ts";

const LINE_FEED = 0x0a;

/**
 * Decodes UTF-8 exactly: a byte that is not UTF-8 is refused, with its position, and never replaced. `source` begins the
 * error's sentence: a file's name, or "Standard input". A byte order mark is left out. Throws `CliError`.
 */
export function utf8Text(bytes: Buffer, source: string): string {
  const text = bytes.toString("utf8");
  const at = firstReplaced(bytes, text);
  if (at === null) return text.replace(/^\uFEFF/, "");
  const before = bytes.subarray(0, at);
  const lineStart = before.lastIndexOf(LINE_FEED) + 1;
  const line = before.reduce((n, byte) => n + Number(byte === LINE_FEED), 1);
  throw new CliError(EXIT.usage, `${source} is not UTF-8.`, {
    why: `Line ${line}, byte ${at - lineStart + 1} of the line (byte ${at + 1} of all) is 0x${bytes[at]?.toString(16).padStart(2, "0")}. Nothing was sent.`,
    next: "Convert it first, for instance: iconv -f latin1 -t utf-8",
  });
}

/** The index of the first byte that decoding replaced by U+FFFD; null when every U+FFFD of the text was in the bytes. */
function firstReplaced(bytes: Buffer, text: string): number | null {
  let at = 0;
  let from = 0;
  for (;;) {
    const found = text.indexOf("\uFFFD", from);
    if (found < 0) return null;
    at += Buffer.byteLength(text.slice(from, found));
    const isOwn =
      bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
    if (!isOwn) return at;
    at += 3;
    from = found + 1;
  }
}

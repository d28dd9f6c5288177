/** How a body asks the sink to refuse it: `{"fail":6,…}` is refused six times. */

const F = "f".charCodeAt(0);
const PREFIX = '{"fail":';
const LONGEST = PREFIX.length + 3;

/** How often a request with this body is to be refused; 0: never. */
export function failuresAsked(body: Buffer): number {
  // This runs for each request of every bench, so almost every body is decided by one byte.
  if (body[2] !== F) return 0;
  const start = body.toString("latin1", 0, LONGEST);
  return Number(/^\{"fail":(\d{1,2}),/.exec(start)?.[1] ?? 0);
}

/** A JSON body of `bytes` bytes that asks to be refused `times` times (1–99). */
export function failingBody(times: number, bytes: number): Buffer {
  const start = `${PREFIX}${times},"text":"`;
  return Buffer.from(`${start}${"x".repeat(bytes - start.length - 2)}"}`);
}

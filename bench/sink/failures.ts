/** How a body tells the sink to refuse it: `{"fail":6,…}` is refused six times. */

const F = "f".charCodeAt(0);
const PREFIX = '{"fail":';
const LONGEST = PREFIX.length + 3;

/** How often the request with this body is to be refused; 0: never. */
export function failuresAsked(body: Buffer): number {
  // Almost every body is decided by one byte: this runs for each request of every bench.
  if (body[2] !== F) return 0;
  const start = body.toString("latin1", 0, LONGEST);
  return Number(/^\{"fail":(\d{1,2}),/.exec(start)?.[1] ?? 0);
}

/** A JSON body of `bytes` bytes that is to be refused so often (1–99 times). */
export function failingBody(times: number, bytes: number): Buffer {
  const start = `${PREFIX}${times},"text":"`;
  return Buffer.from(`${start}${"x".repeat(bytes - start.length - 2)}"}`);
}

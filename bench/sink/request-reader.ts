/** Cuts a socket's bytes into requests. Does as little as possible: it runs on the sink's core, which must not be the limit. */

const END_OF_HEAD = Buffer.from("\r\n\r\n");

/** Receives a request's head, without its last empty line, and its body. `body` is a view of the socket's own memory. */
export type OnRequest = (head: string, body: Buffer) => void;

/** Returns a function that takes chunks and calls `onRequest` for each complete request. Requests must carry a content-length. */
export function requestReader(onRequest: OnRequest): (chunk: Buffer) => void {
  let held: Buffer | null = null;
  return (chunk) => {
    let bytes: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    held = null;
    while (bytes.length > 0) {
      const end = bytes.indexOf(END_OF_HEAD);
      const head = end === -1 ? "" : bytes.toString("latin1", 0, end);
      const bodyStart = end + END_OF_HEAD.length;
      const requestEnd = bodyStart + lengthOf(head);
      if (end === -1 || requestEnd > bytes.length) {
        held = bytes;
        return;
      }
      onRequest(head, bytes.subarray(bodyStart, requestEnd));
      bytes = bytes.subarray(requestEnd);
    }
  };
}

/** The value of a header. The name must be in lower case, as all senders here write it. */
export function headerOf(head: string, name: string): string {
  const start = head.indexOf(`\r\n${name}: `);
  if (start === -1) return "";
  const valueStart = start + name.length + 4;
  const end = head.indexOf("\r\n", valueStart);
  return head.slice(valueStart, end === -1 ? undefined : end);
}

function lengthOf(head: string): number {
  return Number(headerOf(head, "content-length"));
}

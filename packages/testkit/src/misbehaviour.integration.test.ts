import { expect, test } from "@jest/globals";
import { connect } from "node:net";
import {
  closeAfterRequest,
  drippingBody,
  endlessBody,
  endlessEarlyHints,
  resetAfterRequest,
  silence,
} from "./misbehaviour.ts";
import { startRawReceiver } from "./raw-receiver.ts";
import { waitFor } from "./wait-for.ts";

interface Seen {
  readonly text: string;
  readonly bytes: number;
  /** How the connection ended: `end` for a FIN, else the error's code; null while it is open. */
  readonly end: string | null;
}

/** What a sender sees of each behaviour, once `isEnough` holds. */
const ROWS: readonly [
  name: string,
  behaviour: typeof silence,
  isEnough: (seen: Seen) => boolean,
][] = [
  ["resetAfterRequest", resetAfterRequest, ({ end }) => end === "ECONNRESET"],
  ["closeAfterRequest", closeAfterRequest, ({ end }) => end === "end"],
  ["drippingBody", drippingBody, ({ text }) => text.endsWith("\r\n\r\nxxx")],
  [
    "endlessEarlyHints",
    endlessEarlyHints,
    ({ text }) => text.split("HTTP/1.1 103").length > 3,
  ],
  ["endlessBody", endlessBody, ({ bytes }) => bytes > 5_000_000],
];

test.each(ROWS)(
  "%s does as its name says",
  async (_name, behaviour, isEnough) => {
    const receiver = await startRawReceiver(behaviour);
    const socket = connect(receiver.port, "127.0.0.1");
    let seen: Seen = { text: "", bytes: 0, end: null };
    socket.on("data", (chunk) => {
      const bytes = seen.bytes + chunk.length;
      const text = bytes < 10_000 ? seen.text + chunk.toString() : seen.text;
      seen = { ...seen, text, bytes };
    });
    socket.on("end", () => (seen = { ...seen, end: "end" }));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      seen = { ...seen, end: error.code ?? "?" };
    });

    socket.write("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n");

    await waitFor(() => isEnough(seen));
    socket.destroy();
    await receiver.close();
  },
);

test("silence reads a request and never answers", async () => {
  const receiver = await startRawReceiver(silence);
  const socket = connect(receiver.port, "127.0.0.1");
  let answered = 0;
  socket.on("data", () => (answered += 1));

  socket.write("POST / HTTP/1.1\r\n\r\n");

  await waitFor(() => receiver.received()[0]?.length);
  expect(answered).toBe(0);
  socket.destroy();
  await receiver.close();
});

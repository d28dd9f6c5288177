/**
 * A small part of Kafka's protocol. A stack needs it to know that a broker is usable and its own; the fault cases need it to
 * know leaders and coordinators. It uses the versions before the flexible ones, which Kafka 2.1 to 4.x speak.
 *
 * Why not messaging's Admin: it waits for a broker without a limit, but a stack must know within a second that whatever
 * listens on a port is no broker, or not its own. And messaging's port has no calls for leaders, coordinators and the
 * cluster's id, because no service needs them.
 */
import { connect, type Socket } from "node:net";

type Write = (buffer: Buffer[]) => void;

export const int16 =
  (value: number): Write =>
  (out) => {
    const b = Buffer.alloc(2);
    b.writeInt16BE(value);
    out.push(b);
  };
export const int32 =
  (value: number): Write =>
  (out) => {
    const b = Buffer.alloc(4);
    b.writeInt32BE(value);
    out.push(b);
  };
export const flag =
  (value: boolean): Write =>
  (out) => {
    out.push(Buffer.from([value ? 1 : 0]));
  };
export const text =
  (value: string | null): Write =>
  (out) => {
    if (value === null) return int16(-1)(out);
    const bytes = Buffer.from(value);
    int16(bytes.length)(out);
    out.push(bytes);
  };
export const bytes =
  (value: Buffer): Write =>
  (out) => {
    int32(value.length)(out);
    out.push(value);
  };
export const array =
  (items: readonly (readonly Write[])[]): Write =>
  (out) => {
    int32(items.length)(out);
    for (const item of items) for (const write of item) write(out);
  };

/** Reads the fields of a response in their order. */
export class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#skip(1));
  }
  int16(): number {
    return this.#buffer.readInt16BE(this.#skip(2));
  }
  int32(): number {
    return this.#buffer.readInt32BE(this.#skip(4));
  }
  text(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const start = this.#skip(length);
    return this.#buffer.toString("utf8", start, start + length);
  }
  array<T>(one: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, one);
  }
  #skip(length: number): number {
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

export interface KafkaWire {
  request(
    apiKey: number,
    version: number,
    body: readonly Write[],
  ): Promise<Reader>;
  close(): void;
}

/** Opens a connection that sends one request at a time. Rejects when the broker cannot be reached or does not answer within `timeoutMs`. */
export async function connectWire(
  port: number,
  timeoutMs = 5000,
): Promise<KafkaWire> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.setTimeout(timeoutMs, () =>
    socket.destroy(new Error(`no answer on port ${port} in ${timeoutMs} ms`)),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  let correlation = 0;
  return {
    request: async (apiKey, version, body) => {
      const out: Buffer[] = [];
      for (const write of [
        int16(apiKey),
        int16(version),
        int32(++correlation),
        text("postrider-local-stack"),
        ...body,
      ])
        write(out);
      const frame = Buffer.concat(out);
      const answer = readFrame(socket);
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      socket.write(Buffer.concat([length, frame]));
      const reader = new Reader(await answer);
      if (reader.int32() !== correlation)
        throw new Error(`port ${port} does not speak Kafka`);
      return reader;
    },
    close: () => void socket.destroy(),
  };
}

async function readFrame(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const done = (error: Error | null, frame?: Buffer): void => {
      socket.off("data", onData).off("close", onClose);
      if (frame !== undefined) resolve(frame);
      else reject(error ?? new Error("closed"));
    };
    const onClose = (): void => done(new Error("the broker closed"));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const length = received.readUInt32BE(0);
      if (length > 10_000_000) done(new Error("not a Kafka answer"));
      else if (received.length >= 4 + length)
        done(null, received.subarray(4, 4 + length));
    };
    socket.on("data", onData).on("close", onClose);
  });
}

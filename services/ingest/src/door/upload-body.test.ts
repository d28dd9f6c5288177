import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { UploadBody } from "./upload-body.ts";

/** A share of a budget, and what has been taken of it. */
function aShare(room = Infinity) {
  const share = {
    taken: 0,
    take(bytes: number): boolean {
      if (share.taken + bytes > room) return false;
      share.taken += bytes;
      return true;
    },
  };
  return share;
}

test("a body is its pieces in their order, whatever their sizes, and takes less than twice its room", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 50 });
  fc.assert(
    fc.property(pieces, fc.nat(100), (given, spareBytes) => {
      const whole = Buffer.concat(given);
      const share = aShare();
      const mostBytes = whole.length + spareBytes;
      const body = new UploadBody(share, mostBytes);

      for (const piece of given)
        expect(body.add(Buffer.from(piece))).toBe(true);

      expect(body.takeBytes()).toEqual(whole);
      expect(body.length).toBe(whole.length);
      expect(share.taken).toBeGreaterThanOrEqual(whole.length);
      expect(share.taken).toBeLessThanOrEqual(
        Math.min(2 * whole.length, mostBytes),
      );
    }),
  );
});

test("a body that comes whole takes its own size and no more", () => {
  const share = aShare();
  const body = new UploadBody(share, 1_000);

  body.add(Buffer.alloc(700));

  expect(share.taken).toBe(700);
});

test("a piece that is the whole body is not copied, unless it keeps more than it needs in memory", () => {
  const share = aShare();
  const whole = Buffer.alloc(700);
  const part = Buffer.alloc(7_000).subarray(0, 700);
  const [ofWhole, ofPart] = [whole, part].map((piece) => {
    const body = new UploadBody(share, 700);
    body.add(piece);
    return body.takeBytes().buffer;
  });

  expect(ofWhole).toBe(whole.buffer);
  expect(ofPart).not.toBe(part.buffer);
  expect(share.taken).toBe(1_400);
});

test("a body of unknown length does not keep its spare room", () => {
  const kept = [1_400, 1_100].map((bytes) => {
    const body = new UploadBody(aShare(), 10_000);
    body.add(Buffer.alloc(1_000));
    body.add(Buffer.alloc(bytes - 1_000, 1));
    const whole = body.takeBytes();
    expect(whole.length).toBe(bytes);
    expect(whole.at(-1)).toBe(1);
    return whole.buffer.byteLength;
  });

  expect(kept).toEqual([2_000, 1_100]);
});

test("a whole body for which there is no room is not taken", () => {
  const share = aShare(10);
  const body = new UploadBody(share, 20);

  expect(body.add(Buffer.alloc(20))).toBe(false);
  expect(body.length).toBe(0);
  expect(share.taken).toBe(0);
});

test("a piece for which there is no room is not taken, and what came before is kept", () => {
  const share = aShare(10);
  const body = new UploadBody(share, 1_000);
  body.add(Buffer.from("12345678"));

  expect(body.add(Buffer.from("9"))).toBe(false);
  expect(body.takeBytes().toString()).toBe("12345678");
  expect(share.taken).toBe(8);
});

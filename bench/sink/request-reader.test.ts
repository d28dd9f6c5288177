import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { headerOf, requestReader } from "./request-reader.ts";

const request = (id: string, body: string): Buffer =>
  Buffer.from(
    `POST /hook HTTP/1.1\r\nwebhook-id: ${id}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );

test("requests are found however the bytes are split into chunks", () => {
  const stream = Buffer.concat([
    request("msg_1", "{}"),
    request("msg_2", ""),
    request("msg_3", "a\r\n\r\nb"),
  ]);
  const cuts = fc.array(fc.nat(stream.length), { maxLength: 20 });

  fc.assert(
    fc.property(cuts, (at) => {
      const seen: string[] = [];
      const read = requestReader((head, body) => {
        seen.push(`${headerOf(head, "webhook-id")}=${body.toString()}`);
      });
      const edges = [0, ...at.toSorted((a, b) => a - b), stream.length];
      for (let i = 1; i < edges.length; i++)
        read(stream.subarray(edges[i - 1], edges[i]));

      expect(seen).toEqual(["msg_1={}", "msg_2=", "msg_3=a\r\n\r\nb"]);
    }),
  );
});

test("a header that is not there is empty", () => {
  expect(headerOf("POST / HTTP/1.1\r\na: b", "webhook-id")).toBe("");
  expect(headerOf("POST / HTTP/1.1\r\na: b", "a")).toBe("b");
});

import { expect, test } from "@jest/globals";
import { startReceiver } from "./receiver.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

test("the request of a lost answer has arrived; other answers pass", async () => {
  const receiver = await startReceiver();
  const proxy = await startTcpProxy({
    host: "127.0.0.1",
    port: receiver.port,
  });
  const ask = async (body: string) =>
    await fetch(`http://127.0.0.1:${proxy.port}/`, { method: "POST", body });
  proxy.loseAnswers("INSERT", 1);

  await expect(ask("INSERT")).rejects.toThrow();
  expect((await ask("SELECT")).status).toBe(200);
  expect((await ask("INSERT")).status).toBe(200);

  expect(receiver.requests.map(({ body }) => body.toString())).toEqual([
    "INSERT",
    "SELECT",
    "INSERT",
  ]);
  expect(proxy.lost()).toBe(1);
  await proxy.close();
  await receiver.close();
});

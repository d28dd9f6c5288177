import "./stack-setup.ts";

export default async function tearDown(): Promise<void> {
  await globalThis.postriderTestStack?.stop();
}

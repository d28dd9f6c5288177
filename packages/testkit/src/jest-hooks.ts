/** Not imported: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver. */
export function jestHooks(
  of: string,
): Pick<typeof import("@jest/globals"), "beforeAll" | "afterAll"> {
  const hooks = globalThis as unknown as typeof import("@jest/globals");
  if (typeof hooks.beforeAll !== "function")
    throw new Error(`${of}() is for test files`);
  return hooks;
}

/**
 * Registers a hook that runs after every `afterAll` of the test file. jest runs them in the order in which they are registered, and what a
 * file starts must stop before its topics and servers go: a consumer whose topics are gone can commit nothing, and leaves late or never.
 * So the hook is registered once the file has been read: as a microtask, before jest begins. A file must not await at its top level.
 */
export function afterAllOthers(of: string, end: () => Promise<void>): void {
  const { afterAll } = jestHooks(of);
  queueMicrotask(() => afterAll(end));
}

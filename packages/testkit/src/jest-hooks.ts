/** Not imported: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver. */
export function jestHooks(
  of: string,
): Pick<typeof import("@jest/globals"), "beforeAll" | "afterAll"> {
  const hooks = globalThis as unknown as typeof import("@jest/globals");
  if (typeof hooks.beforeAll !== "function")
    throw new Error(`${of}() is for test files`);
  return hooks;
}

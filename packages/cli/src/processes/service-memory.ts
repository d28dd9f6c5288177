/**
 * Settings of Node and of the C library that keep a service small (docs/image.md, "Memory"). They must be given at its start, so each
 * way of starting one has them: the command here, and the image in its Dockerfile.
 */

export const SERVICE_NODE_ARGS = [
  // MB. By default V8 lets the young generation grow to over 130.
  "--max-semi-space-size=8",
] as const;

/** glibc gives threads their own arenas, up to eight for each core, and keeps what was freed in each. Who sets it otherwise wins. */
export const SERVICE_MEMORY_ENV = { MALLOC_ARENA_MAX: "2" } as const;

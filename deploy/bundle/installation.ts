/** The layout of the bundle, whose files are all beside this one. Takes the place of packages/runtime/src/installation.ts. */
export const SCHEMAS_FOLDER = new URL("./schemas/", import.meta.url);

export const MIGRATIONS_FOLDER = new URL("./migrations/", import.meta.url);

export const CONSOLE_FOLDER = new URL("./console/", import.meta.url);

export function serviceProgram(service: string): URL {
  return new URL(`./${service}.js`, import.meta.url);
}

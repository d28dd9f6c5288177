/**
 * Where the files are that Postrider reads while it runs, and the programs that it starts. This is the layout of a checkout. In
 * the bundle deploy/bundle/installation.ts takes this file's place, with the same exports.
 */
const ROOT = new URL("../../../", import.meta.url);

/** The folder of the Avro schemas, `*.avsc`. Ends with a slash. */
export const SCHEMAS_FOLDER = new URL("schemas/", ROOT);

/** The folder of ClickHouse's migrations, `NNNN_name.sql`. Ends with a slash. */
export const MIGRATIONS_FOLDER = new URL("services/recorder/migrations/", ROOT);

/** The folder of the console's files, as `npm run console` builds them. It may be missing. Ends with a slash. */
export const CONSOLE_FOLDER = new URL(".cache/console/", ROOT);

/** The program of a service, for Node to run. */
export function serviceProgram(service: string): URL {
  return new URL(`services/${service}/src/main.ts`, ROOT);
}

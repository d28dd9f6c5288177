/** `npm run console` builds the console's pages, if their sources have changed since the last time. */
import { buildConsole } from "./console-build.ts";

const { folder, isNew } = await buildConsole();
console.log(isNew ? `built ${folder}` : `${folder} is up to date`);

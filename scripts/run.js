// Runs a script of this folder: `node scripts/run.js check`. Plain JavaScript that an old Node can parse, so that it can report
// that Node is too old; with a .ts file an old Node would only report "Unknown file extension".
import { fileURLToPath } from "node:url";

const [name, ...args] = process.argv.slice(2);
if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `This needs Node 24 and was run by Node ${process.versions.node}. After \`npm ci\`, run it by npm (npm run ${name}), which uses the Node 24 that comes with the repository on Linux; elsewhere install Node 24.\n`,
  );
  process.exitCode = 1;
} else {
  const script = new URL(`${name}.ts`, import.meta.url);
  process.argv = [process.execPath, fileURLToPath(script), ...args];
  await import(script.href);
}

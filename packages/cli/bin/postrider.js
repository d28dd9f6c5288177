#!/usr/bin/env node
// Plain JavaScript that an old Node can parse, so that this file can report that Node is too old.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    "postrider needs Node 24 and was run by Node " +
      process.versions.node +
      ". Run it as `npx postrider` in the repository (after `npm ci`), which uses the Node 24 that comes with it.\n",
  );
  process.exitCode = 1;
} else {
  void import("../src/main.ts");
}

/** Loaded into every service of a fault run: SIGUSR2 collects garbage, so that heaps can be compared. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // there by the flag
process.on("SIGUSR2", () => collect());

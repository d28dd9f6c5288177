/** Loaded into every service of a fault run: on SIGUSR2 it collects garbage, so that heap sizes can be compared. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // the flag makes it available
process.on("SIGUSR2", () => collect());

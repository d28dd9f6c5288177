import manifest from "../package.json" with { type: "json" };

/** The version of Postrider that this process runs. All packages and services have the same one. */
export const VERSION: string = manifest.version;

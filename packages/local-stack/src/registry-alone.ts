import { freePorts } from "@postrider/runtime";
import { isDockerThere, startRegistryContainer } from "./docker-stack.ts";
import { startJanitor } from "./janitor.ts";
import {
  registryFiles,
  REGISTRY_API,
  startRegistry,
} from "./registry-server.ts";
import type { ServerHandle } from "./server-process.ts";
import { StackError } from "./stack-error.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** `server` is null when the process is not ours. */
export interface RegistryAlone {
  readonly url: string;
  readonly server: ServerHandle | null;
  stop(): Promise<void>;
}

/** Starts, or finds, a schema registry for whoever has a Kafka already; by `POSTRIDER_STACK`, as `startStack`. Throws `StackError` with a sentence that tells what is missing. */
export async function startRegistryAlone(
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistryAlone> {
  const asked = env["POSTRIDER_STACK"];
  if (asked === "external") return given(env);
  if (asked === "docker" || (!asked && (await isDockerThere(env))))
    return await startRegistryContainer();
  return await startLocally(env);
}

function given(env: NodeJS.ProcessEnv): RegistryAlone {
  const url = env["SCHEMA_REGISTRY_URL"];
  if (!url)
    throw new StackError(
      "CONFIG",
      "POSTRIDER_STACK=external uses your own servers: set SCHEMA_REGISTRY_URL.",
    );
  return { url, server: null, stop: async () => undefined };
}

async function startLocally(env: NodeJS.ProcessEnv): Promise<RegistryAlone> {
  const files = await registryFiles(env, () => undefined);
  const dir = temporaryFolder();
  const janitor = startJanitor(dir);
  const [port = 0] = await freePorts(1);
  try {
    const server = await startRegistry({ files, dir, port, janitor, env });
    return {
      url: `http://127.0.0.1:${port}${REGISTRY_API}`,
      server,
      async stop() {
        await server.stop();
        await janitor.finish();
      },
    };
  } catch (error) {
    await janitor.finish();
    throw error;
  }
}

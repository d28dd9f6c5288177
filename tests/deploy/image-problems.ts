/** What must hold for Postrider's image, as `docker image inspect` tells it. */
import { SERVICE_NODE_ARGS } from "@postrider/cli";

export const MAX_IMAGE_BYTES = 200e6;
/** Below it are users of the machine that an image may clash with. */
export const MIN_UID = 10_001;
/** Fixed in the Dockerfile, or given to the build. */
export const OCI_LABELS: Readonly<Record<string, RegExp>> = {
  "org.opencontainers.image.title": /^Postrider$/,
  "org.opencontainers.image.description": /^Webhook delivery from Kafka$/,
  "org.opencontainers.image.licenses": /^Apache-2\.0$/,
  "org.opencontainers.image.version": /\S/,
  "org.opencontainers.image.revision": /\S/,
  "org.opencontainers.image.source": /\S/,
};

/** As far as it is judged. */
export interface InspectedImage {
  readonly Size: number;
  readonly Config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

/** Sentences about what is wrong; none if nothing is. */
export function imageProblems({ Size, Config }: InspectedImage): string[] {
  const entry = JSON.stringify(Config.Entrypoint ?? null);
  const wanted = JSON.stringify([
    "/usr/local/bin/node",
    ...SERVICE_NODE_ARGS,
    "/app/postrider.js",
  ]);
  return [
    ...(Size <= MAX_IMAGE_BYTES
      ? []
      : [`it has ${Size} bytes, more than ${MAX_IMAGE_BYTES}`]),
    ...userProblems(Config.User ?? ""),
    ...(entry === wanted
      ? []
      : [`its entrypoint is ${entry} and not ${wanted}`]),
    ...Object.entries(OCI_LABELS)
      .filter(([name, value]) => !value.test(Config.Labels?.[name] ?? ""))
      .map(
        ([name]) =>
          `its label ${name} is ${Config.Labels?.[name] ?? "not there"}`,
      ),
  ];
}

/** Of `USER`: both ids as numbers, because a cluster that wants a user other than root cannot look a name up. */
export function userProblems(user: string): string[] {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(user) ?? [];
  return Number(uid) >= MIN_UID && Number(gid) >= MIN_UID
    ? []
    : [`its user is "${user}" and not two numbers from ${MIN_UID} on`];
}

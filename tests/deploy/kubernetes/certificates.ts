/** The certificates of one cluster: an authority, the API server's, an administrator's and the kubelet's. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../shell.ts";

export interface Certificates {
  readonly authority: string;
  readonly apiServer: KeyPair;
  /** May do everything. The controllers, the scheduler, kube-proxy and CoreDNS use it, too: who may do what inside of the control plane is not tested here. */
  readonly admin: KeyPair;
  readonly kubelet: KeyPair;
  /** Signs the tokens of service accounts. */
  readonly tokens: { readonly privateKey: string; readonly publicKey: string };
}

/** Paths of PEM files. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const NEW_KEY = [
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:P-256",
  "-nodes",
];

/** Writes all certificates into `folder`. They are valid for two days. */
export async function makeCertificates(
  folder: string,
  nodeName: string,
): Promise<Certificates> {
  const authority = join(folder, "ca.pem");
  const authorityKey = join(folder, "ca-key.pem");
  await openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-days",
    "2",
    "-subj",
    "/CN=postrider-test",
    "-keyout",
    authorityKey,
    "-out",
    authority,
  );

  const make = async (
    name: string,
    subject: string,
    hosts: readonly string[] = [],
  ): Promise<KeyPair> => {
    const at = (suffix: string): string => join(folder, `${name}${suffix}`);
    const pair = { certificate: at(".pem"), key: at("-key.pem") };
    const names = hosts.length > 0 ? `subjectAltName=${hosts.join()}\n` : "";
    writeFileSync(
      at(".ext"),
      `extendedKeyUsage=serverAuth,clientAuth\n${names}`,
    );
    await openssl(
      "req",
      ...NEW_KEY,
      "-subj",
      subject,
      "-keyout",
      pair.key,
      "-out",
      at(".csr"),
    );
    await openssl(
      "x509",
      "-req",
      "-days",
      "2",
      "-in",
      at(".csr"),
      "-CA",
      authority,
      "-CAkey",
      authorityKey,
      "-CAcreateserial",
      "-extfile",
      at(".ext"),
      "-out",
      pair.certificate,
    );
    return pair;
  };
  return {
    authority,
    apiServer: await make("api-server", "/CN=kube-apiserver", [
      "IP:127.0.0.1",
      "IP:10.96.0.1",
      "DNS:kubernetes.default.svc",
    ]),
    admin: await make("admin", "/O=system:masters/CN=admin"),
    kubelet: await make(
      "kubelet",
      `/O=system:nodes/CN=system:node:${nodeName}`,
    ),
    tokens: writeTokenKeys(folder),
  };
}

function writeTokenKeys(folder: string): Certificates["tokens"] {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
  });
  const paths = {
    privateKey: join(folder, "tokens-key.pem"),
    publicKey: join(folder, "tokens.pem"),
  };
  writeFileSync(
    paths.privateKey,
    privateKey.export({ type: "pkcs8", format: "pem" }),
    { mode: 0o600 },
  );
  writeFileSync(
    paths.publicKey,
    publicKey.export({ type: "spki", format: "pem" }),
  );
  return paths;
}

async function openssl(...args: readonly string[]): Promise<void> {
  await run("openssl", args);
}

/** Writes a kubeconfig by which `user` reaches the API server, and returns its path. */
export function writeKubeconfig(
  path: string,
  {
    authority,
    user,
    server,
  }: {
    readonly authority: string;
    readonly user: KeyPair;
    readonly server: string;
  },
): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "c", cluster: { server, "certificate-authority": authority } },
    ],
    users: [
      {
        name: "u",
        user: {
          "client-certificate": user.certificate,
          "client-key": user.key,
        },
      },
    ],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}

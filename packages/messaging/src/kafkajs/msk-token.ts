/** Tokens for Amazon MSK with IAM, which are OAUTHBEARER tokens that Amazon's own package signs. The package is not one of ours: whoever needs it installs it. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { OauthbearerProviderResponse } from "kafkajs";

const PACKAGE = "aws-msk-iam-sasl-signer-js";

interface Signer {
  generateAuthToken(options: {
    readonly region: string;
  }): Promise<{ readonly token: string }>;
}

const load = createRequire(import.meta.url);

/** Signs with the credentials that the AWS SDK finds: of the pod, the instance or the environment. Throws at once if the package is not installed. */
export function mskToken(
  region: string,
): () => Promise<OauthbearerProviderResponse> {
  const path = pathOfSigner();
  return async () => {
    const signer = (await import(pathToFileURL(path).href)) as Signer;
    const { token } = await signer.generateAuthToken({ region });
    return { value: token };
  };
}

function pathOfSigner(): string {
  try {
    return load.resolve(PACKAGE);
  } catch (cause) {
    throw new Error(
      `KAFKA_SASL_MECHANISM is aws-msk-iam, which needs the package ${PACKAGE}: npm install ${PACKAGE}`,
      { cause },
    );
  }
}

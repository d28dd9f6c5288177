/** Tokens for Amazon MSK with IAM, which are OAUTHBEARER tokens that Amazon's own package signs. The package is not one of ours: whoever needs it installs it. */
import type { OauthbearerProviderResponse } from "kafkajs";

const PACKAGE = "aws-msk-iam-sasl-signer-js";

interface Signer {
  generateAuthToken(options: {
    readonly region: string;
  }): Promise<{ readonly token: string }>;
}

/** Signs with the credentials that the AWS SDK finds: of the pod, the instance or the environment. */
export function mskToken(
  region: string,
): () => Promise<OauthbearerProviderResponse> {
  return async () => {
    const signer = await loadSigner();
    const { token } = await signer.generateAuthToken({ region });
    return { value: token };
  };
}

async function loadSigner(): Promise<Signer> {
  try {
    // The name is no literal, because TypeScript would look for the package.
    return (await import(String(PACKAGE))) as Signer;
  } catch (cause) {
    throw new Error(
      `KAFKA_SASL_MECHANISM is aws-msk-iam, which needs the package ${PACKAGE}: npm install ${PACKAGE}`,
      { cause },
    );
  }
}

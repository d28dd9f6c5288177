/**
 * The values of endpoints' request headers, sealed as they are stored, and opened as control works with them: rules, answers and the
 * audit trail compare values. All are sealed, whatever their name: of a name nobody can tell for sure whether its value is a secret.
 */
import {
  hasAny,
  headerAad,
  SEALED_HEADERS,
  type Endpoint,
} from "@postrider/core";
import { KeyRingError, type KeyRing } from "@postrider/runtime";

export interface HeaderSeal {
  /** With every value that opens in `headers`, and in `sealedHeaders` those alone that do not. Opened twice it is the same. */
  open(endpoint: Endpoint): Endpoint;
  /** As it is stored: no plain value, and the mark by which older dispatchers know that they cannot send it. */
  seal(endpoint: Endpoint): Endpoint;
}

export function createHeaderSeal(
  keyRing: Pick<KeyRing, "open" | "seal">,
): HeaderSeal {
  return {
    open(endpoint) {
      const { id, tenantId, sealedHeaders } = endpoint;
      if (!hasAny(sealedHeaders)) return endpoint;
      const opened: [string, string][] = [];
      const closed: [string, Endpoint["sealedHeaders"][string]][] = [];
      for (const [name, sealed] of Object.entries(sealedHeaders))
        try {
          const aad = headerAad(tenantId, id, name);
          opened.push([name, keyRing.open(sealed, aad).toString("utf8")]);
        } catch (error) {
          if (!(error instanceof KeyRingError)) throw error;
          closed.push([name, sealed]);
        }
      return {
        ...endpoint,
        headers: Object.fromEntries([
          ...Object.entries(endpoint.headers),
          ...opened,
        ]),
        sealedHeaders: Object.fromEntries(closed),
        signing: withoutMark(endpoint.signing),
      };
    },
    seal(endpoint) {
      const { id, tenantId, headers, signing } = endpoint;
      const made = Object.entries(headers).map(([name, value]) => {
        const aad = headerAad(tenantId, id, name);
        return [name, keyRing.seal(Buffer.from(value, "utf8"), aad)] as const;
      });
      const sealedHeaders = Object.fromEntries([
        ...Object.entries(endpoint.sealedHeaders),
        ...made,
      ]);
      return {
        ...endpoint,
        headers: {},
        sealedHeaders,
        signing: hasAny(sealedHeaders)
          ? [...withoutMark(signing), SEALED_HEADERS]
          : signing,
      };
    },
  };
}

/** The signing profiles that people know. */
export function withoutMark(signing: readonly string[]): readonly string[] {
  return signing.filter((profile) => profile !== SEALED_HEADERS);
}

/** A type and a subtype, then parameters; printable ASCII. */
const MEDIA_TYPE =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *;[\u0020-\u007e]*)?$/;

/** Whether a text is a valid `content-type` header: at most 256 characters. */
export function isContentType(text: string): boolean {
  return text.length <= 256 && MEDIA_TYPE.test(text);
}

/** Whether a media type is JSON: `application/json`, `application/vnd.api+json; charset=utf-8`. */
export function isJsonContentType(contentType: string): boolean {
  const essence = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return essence.endsWith("/json") || essence.endsWith("+json");
}

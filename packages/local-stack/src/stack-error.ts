export type StackErrorCode =
  | "JAVA_MISSING"
  | "JAVA_TOO_OLD"
  | "MAVEN_MISSING"
  | "DOWNLOAD_FAILED"
  | "ENGINE_MISSING"
  | "PORT_TAKEN"
  | "NOT_READY"
  | "UNREACHABLE"
  | "DOCKER_MISSING"
  | "SERVERS_MISSING"
  | "CONFIG";

/** The stack cannot start. The message is a sentence for people that tells what is wrong, and what to install or set. */
export class StackError extends Error {
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StackError";
    this.code = code;
  }
}

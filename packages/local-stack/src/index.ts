/** A real Kafka, ClickHouse and schema registry on this machine. */
export { startStack } from "./start-stack.ts";
export { startRegistryAlone, type RegistryAlone } from "./registry-alone.ts";
export {
  PROVIDERS,
  type Provider,
  type ClickHouseUser,
  type SecureListeners,
  type Stack,
  type StackOptions,
} from "./stack.ts";
export type { ServerHandle } from "./server-process.ts";
export { coordinatorOf, leadersOf } from "./kafka-roles.ts";
export { kafkaTools } from "./kafka-tools.ts";
export { StackError, type StackErrorCode } from "./stack-error.ts";
export { startJanitor, type Janitor } from "./janitor.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { IMAGES, KAFKA_VERSION } from "./images.ts";

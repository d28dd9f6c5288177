export {
  controlSpec,
  readControlConfig,
  type ControlConfig,
} from "./config.ts";
export { compose, type Control } from "./compose.ts";

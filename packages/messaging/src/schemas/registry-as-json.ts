import { createAvroAsJson } from "./avro-as-json.ts";
import type { RegistrySchemasOptions } from "./registry-schemas.ts";
import type { Decoder } from "../stage.ts";

/** As `Schemas.asJson`, for a command that needs nothing else of the codec: reads no topic, and registers nothing. */
export async function createRegistryAsJson(
  options: RegistrySchemasOptions,
): Promise<Decoder<Buffer>> {
  // The registry's client is loaded by those alone who use it.
  const { createRegistrySchemas } = await import("./registry-schemas.ts");
  const schemas = createRegistrySchemas(options);
  return createAvroAsJson((id) => schemas.byId(id));
}

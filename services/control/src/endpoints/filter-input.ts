/** The filter of an endpoint, as a request has it: an expression that is wrong is refused, with the place that is. */
import { compileFilter, MAX_FILTER_BYTES } from "@postrider/filter";
import { z } from "zod";

export const filter = z
  .string()
  .superRefine((text, context) => {
    const compiled = compileFilter(text);
    if (compiled.ok) return;
    const { rule, message } = compiled.problem;
    context.addIssue({ code: "custom", params: { rule }, message });
  })
  .meta({
    description: `A CEL expression over \`event\` and \`payload\`, up to ${MAX_FILTER_BYTES} bytes; events for which it is not true are left out`,
    examples: ["payload.total > 100"],
  });

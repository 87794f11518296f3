export { BodyReader, type BodyStep } from "./body.ts";
export { connectionTokens } from "./head.ts";
export { type Forms, type RequestHead, readRequestHead, type TargetForm } from "./request.ts";
export { type ResponseHead, readResponseHead } from "./response.ts";
export {
  contentLength,
  defaultHeadLimits,
  type Field,
  type Framing,
  field,
  type HeadLimits,
  Malformed,
  type MalformedCode,
} from "./types.ts";
export { chunk, lastChunk, writeRequestHead, writeResponseHead } from "./writer.ts";

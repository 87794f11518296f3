// What janee itself says beside an answer that it passes on.
import type { Service } from "./config.ts";

/**
 * A 401 is about the credential, which janee put there: an agent cannot mend it, and janee has denied nothing.
 * undefined: there is nothing to say.
 */
export function noticeOf(status: number, service: Service): string | undefined {
  if (status !== 401) return undefined;
  return `janee allowed this request, and the service refused the credential of "${service.name}" (401): a person has to look after it`;
}

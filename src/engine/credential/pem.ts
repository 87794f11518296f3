// What else a secret in PEM looks like (RFC 7468): the key itself is the base64 between its first and last line, and
// programs print that with other line ends, on one line, or without what stands around it.
const block = /-----BEGIN [^-]+-----([\s\S]*?)-----END /g;
/** Nothing shorter is a key, or stands in no other text. */
const shortest = 32;

export function pemBodies(text: string): string[] {
  if (!text.includes("-----BEGIN ")) return [];
  const lines = text.replaceAll("\\n", "\n");
  return [...lines.matchAll(block)]
    .map(([, inner = ""]) => inner.replace(/^[A-Za-z-]+:.*$/gm, "").replace(/\s/g, ""))
    .filter(({ length }) => length >= shortest);
}

// Lines that tell a CI runner which values its log must not show. It masks what stands literally in a line, so each
// form that a tool would print a credential in is told by itself.

/** Shorter ones would take honest words out of the log. */
const shortest = 4;
const shortestEncoded = 8;

export function maskLines(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const line of secret.split(/\r\n|\r|\n/)) {
      // What frames PEM is no secret.
      if (line.startsWith("-----")) continue;
      if (line.length >= shortest) forms.add(line);
      for (const form of formsOf(line)) if (form.length >= shortestEncoded) forms.add(form);
    }
    if (/[\r\n]/.test(secret)) for (const form of oneLineForms(secret)) forms.add(form);
  }
  return [...forms].map((form) => `::add-mask::${escaped(form)}`);
}

function formsOf(line: string): string[] {
  const bytes = Buffer.from(line, "utf8");
  const percent = encodeURIComponent(line);
  const form = percent.replaceAll("%20", "+");
  const hex = bytes.toString("hex");
  return [
    ...[JSON.stringify(line).slice(1, -1), percent, percent.replace(/%../g, lower), form],
    ...[hex, hex.toUpperCase()],
    ...base64Forms(bytes),
  ];
}

/** A whole file in one string of JSON, or as base64. */
function oneLineForms(secret: string): string[] {
  return [JSON.stringify(secret).slice(1, -1), ...base64Forms(Buffer.from(secret, "utf8"))];
}

/** As a value of its own, and from within a longer text: what three alignments share with no neighbour. */
function base64Forms(bytes: Buffer): string[] {
  const texts = [bytes.toString("base64")];
  for (const offset of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    texts.push(text.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6)));
  }
  return texts.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}

function lower(text: string): string {
  return text.toLowerCase();
}

/** As the runner reads what stands behind `::`. */
function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

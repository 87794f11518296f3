// The names that stand in a config, without reading all of it: a shell that finishes a word waits for this. Only the plain
// block layout that janee itself writes is understood; of anything else nothing is said.

export interface ConfigNames {
  readonly services: readonly string[];
  readonly capabilities: readonly string[];
}

const section = /^([A-Za-z]+):(?:[ ]+#.*|[ ]*)$/;
const emptySection = /^([A-Za-z]+):[ ]+\{[ ]*\}[ ]*(?:#.*)?$/;
const named = /^ +([a-z0-9][a-z0-9_-]{0,63}):(?: .*)?$/;

/** undefined: another layout, which only the whole reader understands. */
export function namesInPlainLayout(text: string): ConfigNames | undefined {
  const found = new Map<string, string[]>();
  let names: string[] = [];
  let indent: number | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const depth = line.search(/[^ ]/);
    if (depth === 0) {
      const empty = emptySection.exec(line)?.[1];
      const name = empty ?? section.exec(line)?.[1];
      if (name === undefined || found.has(name)) return undefined;
      names = [];
      found.set(name, names);
      // What stands below an empty one would be a mistake.
      indent = empty === undefined ? undefined : -1;
      continue;
    }
    if (found.size === 0 || indent === -1) return undefined;
    indent ??= depth;
    if (depth < indent) return undefined;
    if (depth > indent) continue;
    names.push(named.exec(line)?.[1] ?? "");
  }
  const services = found.get("services") ?? [];
  const capabilities = found.get("capabilities") ?? [];
  return [...services, ...capabilities].includes("") ? undefined : { services, capabilities };
}

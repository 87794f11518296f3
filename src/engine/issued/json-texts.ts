// Every string of a JSON text (RFC 8259) with its path and its place in the bytes, so that one can be replaced and all
// others stay as they are. A key that stands twice is found twice.

export interface JsonText {
  readonly path: readonly string[];
  readonly value: string;
  /** In the text, quotes included. */
  readonly start: number;
  readonly end: number;
}

const deepest = 200;
const blank = /[ \t\n\r]*/y;
const stringPattern = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalar = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/** undefined: this is no JSON, or nested deeper than any answer of a token endpoint. */
export function jsonTexts(text: string): readonly JsonText[] | undefined {
  const found: JsonText[] = [];
  /** The containers around the place, with the name or the number of what comes next. */
  const around: { readonly isList: boolean; name: string; count: number }[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };
  const takeSign = (sign: string): boolean => {
    take(blank);
    if (text[at] !== sign) return false;
    at += 1;
    return true;
  };
  const takeName = (): boolean => {
    const container = around.at(-1);
    if (!container) return false;
    if (container.isList) {
      container.name = `${container.count}`;
      container.count += 1;
      return true;
    }
    take(blank);
    const name = take(stringPattern);
    if (name === undefined) return false;
    container.name = JSON.parse(name) as string;
    return takeSign(":");
  };

  for (;;) {
    take(blank);
    const start = at;
    if (text[at] === "{" || text[at] === "[") {
      if (around.length === deepest) return undefined;
      const isList = text[at] === "[";
      at += 1;
      if (!takeSign(isList ? "]" : "}")) {
        around.push({ isList, name: "", count: 0 });
        if (!takeName()) return undefined;
        continue;
      }
    } else {
      const string = take(stringPattern);
      if (string === undefined && take(scalar) === undefined) return undefined;
      if (string !== undefined) {
        const path = around.map(({ name }) => name);
        found.push({ path, value: JSON.parse(string) as string, start, end: at });
      }
    }
    for (;;) {
      const container = around.at(-1);
      if (!container) {
        take(blank);
        return at === text.length ? found : undefined;
      }
      if (takeSign(",")) {
        if (!takeName()) return undefined;
        break;
      }
      if (!takeSign(container.isList ? "]" : "}")) return undefined;
      around.pop();
    }
  }
}

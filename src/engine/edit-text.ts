// Where the pieces of a YAML text begin and end, comments and line ends included, and the cuts that change one.
import {
  type CST,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { blockLines, flowText, inlineText } from "./config-render.ts";
import { type Plain, type PlainMap, plainOf } from "./config-tree.ts";

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export class ConfigText {
  readonly text: string;
  readonly root: Node | undefined;
  readonly #eol: string;
  readonly #step: number;

  constructor(text: string, root: Node | undefined) {
    this.text = text;
    this.root = root;
    this.#eol = /\r?\n/.exec(text)?.[0] ?? "\n";
    this.#step = this.#ownStep();
  }

  splice(splices: readonly Splice[]): string {
    let text = this.text;
    for (const { start, end, text: piece } of [...splices].sort((one, other) => other.start - one.start)) {
      text = text.slice(0, start) + piece + text.slice(end);
    }
    return text;
  }

  /** Nothing behind the colon, `~` or `null`. */
  isEmpty(node: unknown): boolean {
    return node === undefined || node === null || (isScalar(node) && node.value === null);
  }

  /** An empty `{}` without a comment inside, which may become a block. */
  canOpen(map: YAMLMap): boolean {
    const [start, end] = rangeOf(map);
    return !this.text.slice(start, end).includes("#");
  }

  /** Into a file without content. */
  append(entry: PlainMap): readonly Splice[] {
    return [this.#insertLines(this.text.length, blockLines(entry, 0, this.#step))];
  }

  /** Instead of a lone `{}`. */
  openRoot(map: YAMLMap, entry: PlainMap): readonly Splice[] {
    const [start, end] = rangeOf(map);
    if (this.#lineStart(start) !== start) return this.insert(map, entry);
    return [{ start, end, text: blockLines(entry, 0, this.#step).join(this.#eol) }];
  }

  insert(map: YAMLMap, entry: PlainMap): readonly Splice[] {
    const last = map.items.at(-1);
    if (map.flow) {
      const inner = flowText(entry).slice(1, -1);
      const at = last ? this.#pairEnd(last) : rangeOf(map)[0] + 1;
      return [{ start: at, end: at, text: last ? `, ${inner}` : inner }];
    }
    const indent = this.#indentOf(map);
    const at = this.#afterComments(this.#afterLine(last ? this.#pairEnd(last) : rangeOf(map)[1]), indent);
    return [this.#insertLines(at, blockLines(entry, indent, this.#step))];
  }

  replace(map: YAMLMap, pair: Pair, value: Plain): readonly Splice[] {
    const node = isNode(pair.value) ? pair.value : undefined;
    const colon = this.#colonEnd(pair);
    if (!node || isBlank(node)) return this.#fill(map, pair, value);
    const [start, end] = rangeOf(node);
    const inline = map.flow ? flowText(value) : inlineText(value);
    if (inline !== undefined) {
      if (isBlock(node)) {
        return [
          { start: colon, end: colon, text: ` ${inline}` },
          { ...this.#linesOf(node), text: "" },
        ];
      }
      if (!isBlockScalar(node)) return [{ start, end, text: inline }];
      const newline = this.text[end - 1] === "\n" ? this.#eol : "";
      return [{ start, end, text: `${inline}${headerComment(node)}${newline}` }];
    }
    const lines = blockLines(value, this.#indentOf(map) + this.#step, this.#step).join(this.#eol);
    if (isBlock(node)) {
      const region = this.#linesOf(node);
      return [{ ...region, text: lines + (this.text[region.end - 1] === "\n" ? this.#eol : "") }];
    }
    if (isBlockScalar(node)) {
      const newline = this.text[end - 1] === "\n" ? this.#eol : "";
      return [{ start: colon, end, text: headerComment(node) + this.#eol + lines + newline }];
    }
    const lineEnd = this.#lineEnd(end);
    const rest = this.text.slice(end, lineEnd).trimEnd();
    if (!this.text.slice(colon, start).includes("\n")) {
      return [{ start: colon, end: lineEnd, text: rest + this.#eol + lines }];
    }
    const comment = rest.trim() === "" ? "" : " ".repeat(this.#indentOf(map)) + rest.trim() + this.#eol;
    return [{ start: this.#lineStart(start), end: lineEnd, text: comment + lines }];
  }

  /** Items that both lists begin or end with keep their lines, and with them their comments. */
  replaceItems(
    list: YAMLSeq,
    value: readonly Plain[],
    same: (one: Plain, other: Plain | undefined) => boolean,
  ): readonly Splice[] {
    const old = list.items.map(plainOf);
    const shorter = Math.min(old.length, value.length);
    let head = 0;
    while (head < shorter && same(old[head] ?? null, value[head])) head++;
    let tail = 0;
    while (tail < shorter - head && same(old[old.length - 1 - tail] ?? null, value[value.length - 1 - tail]))
      tail++;

    const fresh = value.slice(head, value.length - tail);
    const indent = this.#column(dashes(list)[0] ?? 0);
    const lines = blockLines(fresh, indent, this.#step);
    const last = old.length - tail - 1;
    if (last < head) {
      if (fresh.length === 0) return [];
      const at =
        head > 0 ? this.#afterLine(this.#itemEnd(list, head - 1)) : this.#lineStart(dashes(list)[0] ?? 0);
      return [this.#insertLines(at, lines)];
    }
    const start = this.#lineStart(dashes(list)[head] ?? 0);
    const end = this.#afterLine(this.#itemEnd(list, last));
    const newline = lines.length > 0 && this.text[end - 1] === "\n" ? this.#eol : "";
    return [{ start, end, text: lines.join(this.#eol) + newline }];
  }

  /** `holder` is the pair whose value the map is; a map that becomes empty leaves `{}` behind. */
  remove(map: YAMLMap, pair: Pair, holder: Pair | undefined): readonly Splice[] {
    if (map.flow) return this.#removeFromFlow(map, pair);
    const region = { start: this.#lineStart(keyStart(pair)), end: this.#afterLine(this.#pairEnd(pair)) };
    if (map.items.length === 1) {
      const colon = holder ? this.#colonEnd(holder) : 0;
      const braces = holder ? [{ start: colon, end: colon, text: " {}" }] : [];
      return [...braces, { ...region, text: "" }];
    }
    // Comments that follow would become text of a block scalar above if they stood deeper than it.
    const above = map.items[map.items.indexOf(pair) - 1];
    const indent = this.#indentOf(map);
    if (!above || !this.#endsInBlockScalar(above.value)) return [{ ...region, text: "" }];
    const end = this.#afterComments(region.end, indent);
    const kept = this.text.slice(region.end, end).replace(/^[ \t]*(?=#)/gm, " ".repeat(indent));
    return [{ start: region.start, end, text: kept }];
  }

  #removeFromFlow(map: YAMLMap, pair: Pair): readonly Splice[] {
    const start = keyStart(pair);
    const end = this.#pairEnd(pair);
    const items = map.srcToken?.type === "flow-collection" ? map.srcToken.items : [];
    const index = pair.srcToken ? items.indexOf(pair.srcToken) : -1;
    const next = items[index + 1]?.start.find((token) => token.type === "comma");
    if (next) return [this.#wholeLine(start, this.#afterBlanks(next.offset + 1))];
    const own = items[index]?.start.find((token) => token.type === "comma");
    if (!own) return [this.#wholeLine(start, end)];
    const between = this.text.slice(own.offset + 1, start);
    if (/^[ \t]*$/.test(between)) return [{ start: own.offset, end, text: "" }];
    const space = /^\s/.test(between) ? "" : " ";
    return [{ start: own.offset, end: own.offset + 1, text: space }, this.#wholeLine(start, end)];
  }

  /** A cut that would leave a blank line takes the line with it. */
  #wholeLine(start: number, end: number): Splice {
    const from = this.#lineStart(start);
    const blank = this.text.slice(from, start).trim() === "" && /^[ \t]*\r?\n/.exec(this.text.slice(end));
    return blank ? { start: from, end: end + blank[0].length, text: "" } : { start, end, text: "" };
  }

  /** A value where there is none, `~` or `null`. */
  #fill(map: YAMLMap, pair: Pair, value: Plain): readonly Splice[] {
    const colon = this.#colonEnd(pair);
    const inline = map.flow ? flowText(value) : inlineText(value);
    if (inline !== undefined) {
      const text = findColon(pair) ? ` ${inline}` : `: ${inline}`;
      return [{ start: colon, end: colon, text }];
    }
    const lines = blockLines(value, this.#indentOf(map) + this.#step, this.#step);
    return [this.#insertLines(this.#afterLine(colon), lines)];
  }

  #insertLines(at: number, lines: readonly string[]): Splice {
    const before = this.text[at - 1];
    const lead = at === 0 || before === "\n" || before === "\ufeff" ? "" : this.#eol;
    return { start: at, end: at, text: lead + lines.join(this.#eol) + this.#eol };
  }

  /** The lines of a block collection, from its first key or dash to the end of its last line. */
  #linesOf(node: Node): { start: number; end: number } {
    const first = isMap(node) && node.items[0] ? keyStart(node.items[0]) : undefined;
    const start = first ?? (isSeq(node) ? dashes(node)[0] : undefined) ?? rangeOf(node)[0];
    return { start: this.#lineStart(start), end: this.#afterLine(this.#nodeEnd(node)) };
  }

  #pairEnd(pair: Pair): number {
    const node = pair.value;
    return isNode(node) && !isBlank(node) ? this.#nodeEnd(node) : this.#colonEnd(pair);
  }

  #nodeEnd(node: Node): number {
    if (isMap(node) && !node.flow) {
      const last = node.items.at(-1);
      if (last) return this.#pairEnd(last);
    }
    if (isSeq(node) && !node.flow && node.items.length > 0) return this.#itemEnd(node, node.items.length - 1);
    return rangeOf(node)[1];
  }

  #itemEnd(list: YAMLSeq, index: number): number {
    const item = list.items[index];
    return isNode(item) && !isBlank(item) ? this.#nodeEnd(item) : (dashes(list)[index] ?? 0) + 1;
  }

  /** Behind the colon, or behind the key where there is no colon. */
  #colonEnd(pair: Pair): number {
    const colon = findColon(pair);
    return colon ? colon.offset + 1 : isNode(pair.key) ? rangeOf(pair.key)[1] : 0;
  }

  #endsInBlockScalar(node: unknown): boolean {
    if (isMap(node)) return this.#endsInBlockScalar(node.items.at(-1)?.value);
    if (isSeq(node)) return this.#endsInBlockScalar(node.items.at(-1));
    return isNode(node) && isBlockScalar(node);
  }

  #indentOf(map: YAMLMap): number {
    const first = map.items[0];
    return first ? this.#column(keyStart(first)) : 0;
  }

  /** The indentation of the file's first nested map. */
  #ownStep(): number {
    if (!isMap(this.root)) return 2;
    for (const { value } of this.root.items) {
      if (isMap(value) && !value.flow && value.items.length > 0) return Math.max(1, this.#indentOf(value));
    }
    return 2;
  }

  #column(offset: number): number {
    return offset - this.#lineStart(offset);
  }

  #lineStart(offset: number): number {
    if (offset === 0) return 0;
    const start = this.text.lastIndexOf("\n", offset - 1) + 1;
    return start === 0 && this.text.startsWith("\ufeff") ? 1 : start;
  }

  /** Where the line's content ends, before its line break. */
  #lineEnd(offset: number): number {
    const next = this.text.indexOf("\n", offset);
    if (next < 0) return this.text.length;
    return this.text[next - 1] === "\r" ? next - 1 : next;
  }

  /** The start of the next line; a block scalar ends there already. */
  #afterLine(offset: number): number {
    return this.text[offset - 1] === "\n" ? offset : this.#nextLine(offset);
  }

  #nextLine(offset: number): number {
    const next = this.text.indexOf("\n", offset);
    return next < 0 ? this.text.length : next + 1;
  }

  #afterBlanks(offset: number): number {
    let at = offset;
    while (this.text[at] === " " || this.text[at] === "\t") at++;
    return at;
  }

  /** Past the comment lines that stand as deep as `indent` or deeper: they belong to the map above. */
  #afterComments(offset: number, indent: number): number {
    let end = offset;
    let at = offset;
    while (at < this.text.length) {
      const next = this.#nextLine(at);
      const line = this.text.slice(at, next);
      const column = line.search(/\S/);
      if (column >= 0) {
        if (line[column] !== "#" || column < indent) break;
        end = next;
      }
      at = next;
    }
    return end;
  }
}

function rangeOf(node: Node): readonly [start: number, end: number] {
  if (!node.range) throw new Error("a parsed node has a range");
  return [node.range[0], node.range[1]];
}

function keyStart(pair: Pair): number {
  return isNode(pair.key) ? rangeOf(pair.key)[0] : 0;
}

function findColon(pair: Pair): CST.SourceToken | undefined {
  return pair.srcToken?.sep?.find((token) => token.type === "map-value-ind");
}

function dashes(list: YAMLSeq): readonly number[] {
  if (list.srcToken?.type !== "block-seq") return [];
  return list.srcToken.items.flatMap((item) => {
    const dash = item.start.find((token) => token.type === "seq-item-ind");
    return dash ? [dash.offset] : [];
  });
}

/** A value without any text of its own. */
function isBlank(node: Node): boolean {
  const [start, end] = rangeOf(node);
  return start === end;
}

function isBlock(node: Node): boolean {
  return (isMap(node) || isSeq(node)) && !node.flow;
}

function isBlockScalar(node: Node): boolean {
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

/** The comment behind the `|` of a block scalar. */
function headerComment(node: Node): string {
  const props = node.srcToken?.type === "block-scalar" ? node.srcToken.props : [];
  const comment = props.find((token) => token.type === "comment");
  return comment && "source" in comment ? ` ${comment.source}` : "";
}

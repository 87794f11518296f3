// YAML text → a tree with positions. Only what a person reads the same way as the parser gets through.
// The parser's own messages quote source lines, which may hold a credential: they never leave this file.
import {
  Composer,
  CST,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { Failure, type FailureCode, type Position } from "./failure.ts";
import { effects } from "./rule.ts";

export interface ConfigTree {
  readonly text: string;
  readonly file: string;
  /** Undefined for a file without content. */
  readonly root: Node | undefined;
  readonly position: (offset: number) => Position;
}

const longestFile = 1024 * 1024;
const deepestNesting = 16;

export function parseTree(text: string, file: string): ConfigTree | Failure {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fail = (problem: Problem): Failure =>
    new Failure(problem.code ?? "config_invalid", problem.message, { at: position(problem.offset) });

  if (Buffer.byteLength(text) > longestFile) {
    return new Failure("config_invalid", "the file is over 1 MiB", { at: { file, line: 1, column: 1 } });
  }
  lines.addNewLine(0);
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) lines.addNewLine(end + 1);

  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)/.exec(text);
  if (control) return fail({ offset: control.index, message: "a control character" });
  const lexemes = [...new Lexer().lex(text)];
  const refused = refuseSyntax(lexemes);
  if (refused) return fail(refused);

  const composer = new Composer({
    keepSourceTokens: true,
    uniqueKeys: false,
    schema: "core",
    version: "1.2",
  });
  const [document, second] = [...composer.compose(tokensOf(lexemes), false, text.length)];
  if (second) return fail({ offset: second.range[0], message: severalDocuments });
  const error = document?.errors[0] ?? document?.warnings[0];
  if (error) return fail({ offset: error.pos[0], message: messageFor(error) });
  const root = document?.contents ?? undefined;
  const blank = root?.range?.[0] === root?.range?.[1];
  return { text, file, root: blank ? undefined : root, position };
}

function* tokensOf(lexemes: readonly string[]): Generator<CST.Token> {
  const parser = new Parser();
  for (const lexeme of lexemes) yield* parser.next(lexeme);
  yield* parser.end();
}

interface Problem {
  readonly offset: number;
  readonly message: string;
  readonly code?: FailureCode;
}

const severalDocuments = 'expected one document: "---" and "..." between or after the content are refused';

/** Everything that makes a value mean something else than it looks like, found before a tree is built. */
function refuseSyntax(lexemes: readonly string[]): Problem | undefined {
  let offset = 0;
  let scalarNext = false;
  let begun = false;
  let depth = 0;
  let dashes = 0;
  let scalar = "";
  let key = "";
  for (const lexeme of lexemes) {
    // Marks without width between the real lexemes.
    if (lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END) continue;
    if (lexeme === CST.SCALAR) {
      scalarNext = true;
      continue;
    }
    const type = scalarNext ? "scalar" : CST.tokenType(lexeme);
    scalarNext = false;
    switch (type) {
      case "alias":
        return { offset, ...aliasRefused(key) };
      case "anchor":
        return { offset, message: 'anchors ("&name") are refused: quote a value that begins with "&"' };
      case "tag":
        return { offset, message: 'tags ("!name") are refused: quote a value that begins with "!"' };
      case "directive-line":
        return { offset, message: 'directives ("%…") are refused' };
      case "explicit-key-ind":
        return { offset, message: 'the "? key" form is refused: write "key: value"' };
      case "doc-end":
        return { offset, message: severalDocuments };
      case "doc-start":
        if (begun) return { offset, message: severalDocuments };
        begun = true;
        break;
      case "flow-map-start":
      case "flow-seq-start":
        begun = true;
        key = "";
        if (++depth > deepestNesting) return { offset, message: "nested too deeply" };
        break;
      case "flow-map-end":
      case "flow-seq-end":
        depth--;
        break;
      case "seq-item-ind":
        begun = true;
        key = "";
        if (++dashes > deepestNesting) return { offset, message: "nested too deeply" };
        break;
      case "newline":
        dashes = 0;
        break;
      case "map-value-ind":
        key = scalar;
        break;
      case "scalar":
        begun = true;
        scalar = lexeme;
        key = "";
        break;
      case "single-quoted-scalar":
      case "double-quoted-scalar":
        begun = true;
        scalar = lexeme.slice(1, -1);
        key = "";
        break;
      default:
    }
    offset += lexeme.length;
  }
  return undefined;
}

function aliasRefused(key: string): { message: string; code?: FailureCode } {
  const effect = effects.find((one) => one === key);
  if (!effect) return { message: 'aliases ("*name") are refused: quote a value that begins with "*"' };
  return { code: "config_invalid_rule", message: `"*" must be quoted here: ${effect}: "*"` };
}

function messageFor(error: YAMLError): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "a tab as indentation: use spaces";
    case "BAD_INDENT":
      return "the indentation does not fit what is above";
    case "BAD_DQ_ESCAPE":
      return 'an unknown escape in a "…" value: write "\\\\" for a backslash, or use single quotes';
    case "BAD_SCALAR_START":
      return "a value cannot begin with this character: quote it";
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return 'expected "key: value"';
    case "MISSING_CHAR":
      return 'something is missing here: a space after ":" or "-", a comma, a closing quote or bracket, or ":"';
    case "MULTIPLE_DOCS":
      return severalDocuments;
    default:
      return "this is not valid YAML";
  }
}

/** A value as it is written, without what YAML adds to it. Maps keep `__proto__` a plain name. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainMap;
export interface PlainMap extends ReadonlyMap<string, Plain> {}

export function plainOf(node: unknown): Plain {
  if (isMap(node)) {
    return new Map(node.items.map((pair) => [keyText(pair.key), plainOf(pair.value)]));
  }
  if (isSeq(node)) return node.items.map(plainOf);
  if (!isScalar(node)) return null;
  const value = node.value;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value === null || value === undefined ? null : String(value);
}

/** Where a key stands that its map has already; undefined when there is none. */
export function repeatedKey(node: unknown): number | undefined {
  if (isSeq(node)) return firstOf(node.items, repeatedKey);
  if (!isMap(node)) return undefined;
  const seen = new Set<string>();
  return firstOf(node.items, ({ key, value }) => {
    const name = keyText(key);
    if (seen.has(name)) return keyOffset(node, key);
    seen.add(name);
    return repeatedKey(value);
  });
}

function firstOf<T>(items: readonly T[], look: (item: T) => number | undefined): number | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

/** The offset at which a pair's key begins. */
export function keyOffset(map: YAMLMap, key: unknown): number {
  return (isScalar(key) ? key.range?.[0] : undefined) ?? map.range?.[0] ?? 0;
}

// A client's file as a plain tree, whatever its format. Messages of parsers quote the file: they are not passed on.
import { getNodeValue, type Node, type ParseError, parseTree } from "jsonc-parser";
import { parse as parseToml, TomlError } from "smol-toml";
import { type Document, parseDocument } from "yaml";
import type { Client } from "../../engine/clients.ts";
import { Failure } from "../../engine/failure.ts";
import { invalid, spotAt, top } from "./invalid.ts";

type Format = Client["format"];

/** undefined: the file holds nothing. */
export function parseClientFile(format: Format, text: string, file: string): unknown | Failure {
  try {
    return parsed(format, text, file);
  } catch (error) {
    // Nested without end, or aliases that grow without end.
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    return invalid(file, "the file is nested too deep or its aliases grow too large", top);
  }
}

function parsed(format: Format, text: string, file: string): unknown | Failure {
  if (format === "toml") return tomlTree(text, file);
  if (format === "yaml") {
    const document = yamlDocument(text, file);
    return document instanceof Failure ? document : (document.toJS() as unknown);
  }
  const tree = jsonTree(format, text, file);
  return tree instanceof Failure || tree === undefined ? tree : (getNodeValue(tree) as unknown);
}

export function jsonTree(format: Format, text: string, file: string): Node | undefined | Failure {
  const errors: ParseError[] = [];
  const lenient = format === "jsonc";
  const tree = parseTree(text, errors, {
    disallowComments: !lenient,
    allowTrailingComma: lenient,
    allowEmptyContent: true,
  });
  const first = errors[0];
  if (first) {
    const kind = lenient
      ? "JSON with comments"
      : "JSON (this client allows no comments and no trailing comma)";
    return invalid(file, `the file is not valid ${kind}`, spotAt(text, first.offset));
  }
  return tree;
}

export function tomlTree(text: string, file: string): unknown | Failure {
  try {
    return parseToml(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return invalid(file, "the file is not valid TOML", error);
  }
}

export function yamlDocument(text: string, file: string): Document | Failure {
  const document = parseDocument(text, { logLevel: "silent" });
  const first = document.errors[0];
  if (first)
    return invalid(file, "the file is not valid YAML", first.linePos?.[0] ? spot(first.linePos[0]) : top);
  return document;
}

const spot = ({ line, col }: { line: number; col: number }) => ({ line, column: col });

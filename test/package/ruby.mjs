// Ruby from stdin, as Ruby's own parser reads it: what is wrong with it, and its calls with a string, as they are nested.
// Run by Node, since the parser wants WASI.
import { text } from "node:stream/consumers";
import { loadPrism } from "@ruby/prism";

function callsIn(node) {
  return (node?.compactChildNodes() ?? []).flatMap((child) => {
    if (child.name === undefined || child.block === undefined) return callsIn(child);
    const first = child.arguments_?.arguments_?.[0]?.unescaped?.value;
    return [{ name: child.name, said: first, inside: callsIn(child) }];
  });
}

const parse = await loadPrism();
const { errors, value } = parse(await text(process.stdin));
console.log(JSON.stringify({ errors: errors.map(({ message }) => message), calls: callsIn(value) }));

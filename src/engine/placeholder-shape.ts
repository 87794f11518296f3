// How vendors' keys look, as far as their own SDKs and tools check it: the directory's example with a gap for what makes a
// placeholder known as one.
import type { Service } from "./config.ts";
import type { Shape } from "./placeholder.ts";
import { vendorOf } from "./vendor-variables.ts";

const gap = /\{(\d+)\}/g;
const anyGap = /\{(?:\d+(?::[a-z]+)?|uuid)\}/;

/** `length`: letters and digits that have to fit into one gap; where none is as long, the first one is made so. */
export function shapeOf(service: Service, length: number): Shape {
  const examples = vendorOf(service)?.key?.like ?? [];
  for (const example of examples) {
    for (const found of example.matchAll(gap)) {
      const size = Number(found[1]);
      if (size < length) continue;
      const before = example.slice(0, found.index);
      return { before, behind: `${filler(size - length)}${example.slice(found.index + found[0].length)}` };
    }
  }
  const [example = "{0}"] = examples;
  const first = anyGap.exec(example);
  if (!first) return { before: "", behind: "" };
  return { before: example.slice(0, first.index), behind: example.slice(first.index + first[0].length) };
}

function filler(length: number): string {
  return length === 0 ? "" : `{${length}}`;
}

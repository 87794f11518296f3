// The files of a package that goes under /usr, whatever the package manager.
import { type Extra, onSystem } from "./extras.ts";
import { executable, type Ingredients } from "./made.ts";
import { licencesText } from "./parts.ts";
import { type Entry, file } from "./tar.ts";
import type { Target } from "./targets.ts";

interface Places {
  readonly licence: string;
  readonly licences: string;
  readonly zsh: string;
}

export function systemFiles(given: Ingredients, target: Target, places: Places): readonly Entry[] {
  const extras: readonly Extra[] = given.extras;
  return [
    executable(given, target, "usr/bin/janee"),
    file(places.licence, given.license),
    file(places.licences, licencesText(given.parts)),
    ...onSystem(extras, places.zsh),
  ].sort((one, other) => (one.path < other.path ? -1 : 1));
}

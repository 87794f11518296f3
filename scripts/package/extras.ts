// Completions and manual pages: what goes beside the executable.
import { completionScripts } from "../../src/commands/completion-scripts.ts";
import { manualPages } from "../man.ts";
import { type Entry, file, gzip } from "./tar.ts";

export type Shell = "bash" | "zsh" | "fish" | "powershell";

export interface Extra {
  /** A shell's completion, or a manual page of section 1. */
  readonly kind: Shell | "man";
  /** Its place in the archives. */
  readonly path: string;
  readonly text: string;
}

const completions: Readonly<Record<Shell, string>> = {
  bash: "completions/janee.bash",
  zsh: "completions/_janee",
  fish: "completions/janee.fish",
  powershell: "completions/janee.ps1",
};

/** `time`: of the commit, in seconds since 1970. */
export async function extras(time: number): Promise<readonly Extra[]> {
  const shells = Object.entries(completions).map(([shell, path]) => {
    const kind = shell as Shell;
    return { kind, path, text: `${completionScripts[kind]}\n` };
  });
  const pages = await manualPages(new Date(time * 1000).toISOString().slice(0, 10));
  return [
    ...shells,
    ...pages.map(({ file: name, text }) => ({ kind: "man" as const, path: `man/${name}`, text })),
  ];
}

/** The lines of a channel's file that put them in place: one a completion, and one for all manual pages. */
export function linesFor(
  given: readonly Extra[],
  completion: Readonly<Record<Shell, ((path: string) => string) | undefined>>,
  manual: string,
): readonly string[] {
  const shells = given.flatMap(({ kind, path }) => (kind === "man" ? [] : (completion[kind]?.(path) ?? [])));
  return given.some(({ kind }) => kind === "man") ? [...shells, manual] : shells;
}

/** Their places on a system, for its package manager; PowerShell has none there. */
export function onSystem(given: readonly Extra[], zshFolder: string): readonly Entry[] {
  const places: Readonly<Record<Shell, string | undefined>> = {
    bash: "usr/share/bash-completion/completions/janee",
    zsh: `${zshFolder}/_janee`,
    fish: "usr/share/fish/vendor_completions.d/janee.fish",
    powershell: undefined,
  };
  return given.flatMap(({ kind, path, text }) => {
    if (kind === "man") return [file(`usr/share/man/man1/${path.slice(4)}.gz`, gzip(Buffer.from(text), 9))];
    const place = places[kind];
    return place === undefined ? [] : [file(place, text)];
  });
}

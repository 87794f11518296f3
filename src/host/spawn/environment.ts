// The environment of a child: from nothing. What janee was started with stays with janee.
import type { Environment } from "../key-place.ts";

const folders = [
  "HOME",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
];
const foldersOnWindows = ["USERPROFILE", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA"];
/** Without these many programs do not start there. */
const systemOnWindows = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "windir"];

export function childEnvironment(
  own: Environment,
  path: string,
  scratch: string,
  added: ReadonlyMap<string, string>,
  last: Readonly<Record<string, string>>,
): Record<string, string> {
  const windows = process.platform === "win32";
  const made: Record<string, string> = { PATH: path };
  for (const name of windows ? [...folders, ...foldersOnWindows] : folders) made[name] = scratch;
  for (const name of windows ? ["TZ", ...systemOnWindows] : ["TZ"]) {
    const value = own[name];
    if (value !== undefined && value !== "") made[name] = value;
  }
  made.LANG = own.LANG || "C.UTF-8";
  made.TERM = "dumb";
  made.GIT_TERMINAL_PROMPT = "0";
  return { ...made, ...Object.fromEntries(added), ...last };
}

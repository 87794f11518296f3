// Where git may be sent: a remote that the repository knows by name, or a plain https URL.
import { shown } from "./options.ts";

/** No user in it: the credential comes from janee, and `https://github.com@evil.example/` is not GitHub. */
const plainUrl =
  /^https:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?$/;
/** A name cannot be a path: `../x` and `/x` hold a slash at an edge, `a:b` would be a host. */
const remoteName =
  /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?(?:\/[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?)*$/;

export function problemInUrl(url: string): string | undefined {
  if (plainUrl.test(url)) return undefined;
  const what = transportIn(url) ?? "this address";
  return `${what} is refused: expected https://host/path, without user, query and escapes`;
}

export function problemInRemote(remote: string): string | undefined {
  if (!/[:\\]/.test(remote) && remoteName.test(remote) && !/\.bundle$/i.test(remote)) return undefined;
  return problemInUrl(remote);
}

/** `ext::sh -c …`, `FD::3`, `file://`, `ssh://`, in any case. */
export function transportIn(text: string): string | undefined {
  const helper = /^\s*([A-Za-z0-9][A-Za-z0-9+._-]*)::/.exec(text);
  if (helper) return `the transport ${shown(`${helper[1]}::`)}`;
  const scheme = /^\s*([A-Za-z][A-Za-z0-9+._-]*):\/\//.exec(text);
  return scheme && scheme[1] !== "https" ? `the transport ${shown(`${scheme[1]}://`)}` : undefined;
}

/** `+main:main`, `HEAD`, `:old`, `refs/heads/*:refs/remotes/origin/*`; never an option. */
export function problemInRefspec(refspec: string): string | undefined {
  return refspec.startsWith("-") ? `${shown(refspec)} is no name of a branch` : undefined;
}

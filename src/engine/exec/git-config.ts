// A repository's own settings can send git elsewhere or make it run things, and some of them no `-c` switches off:
// insteadOf rewrites, settings bound to one URL, filters, drivers, includes. A repository with such a setting is not
// worked in. Sections that git does not know are other tools' and pass; in those it knows, only what is known to be
// harmless passes, so that a setting of a later git is refused until somebody looked at it.

const anything = /^/;

/** Section → the names in it that do no harm, or that janee's own settings win over. Lower case, as git lists them. */
const harmless: Readonly<Record<string, RegExp>> = {
  add: anything,
  advice: anything,
  am: anything,
  apply: anything,
  author: anything,
  blame: anything,
  branch:
    /^(?:remote|merge|pushremote|rebase|description|autosetupmerge|autosetuprebase|sort|gh-merge-base|vscode-merge-base|github-pr-owner-number|gk-.*)$/,
  checkout: anything,
  clean: anything,
  color: anything,
  column: anything,
  commit: /^(?:cleanup|gpgsign|status|verbose|template)$/,
  commitgraph: anything,
  committer: anything,
  core: /^(?:abbrev|attributesfile|autocrlf|bare|bigfilethreshold|checkroundtripencoding|checkstat|commentchar|commentstring|commitgraph|compression|createobject|deltabasecachelimit|eol|excludesfile|filemode|fscache|hidedotfiles|ignorecase|ignorestat|logallrefupdates|longpaths|loosecompression|maxtreedepth|multipackindex|notesref|packedgitlimit|packedgitwindowsize|packedrefstimeout|precomposeunicode|preferasymlinkrefs|preloadindex|protecthfs|protectntfs|quotepath|repositoryformatversion|restrictinheritedhandles|safecrlf|sharedrepository|sparsecheckout|sparsecheckoutcone|splitindex|symlinks|trustctime|untrackedcache|usereplacerefs|warnambiguousrefs|whitespace|hookspath|fsmonitor|pager|editor|askpass|sshcommand|filesreflocktimeout|fsync|fsyncmethod|fsyncobjectfiles)$/,
  credential: /^(?:username|usehttppath|interactive|guiprompt)$/,
  diff: /^(?:algorithm|autorefreshindex|binary|cachetextconv|colormoved|colormovedws|context|dirstat|funcname|xfuncname|ignoresubmodules|indentheuristic|interhunkcontext|mnemonicprefix|noprefix|dstprefix|srcprefix|relative|renamelimit|renames|statgraphwidth|statnamewidth|submodule|suppressblankempty|wordregex|wserrorhighlight)$/,
  extensions:
    /^(?:compatobjectformat|noop.*|objectformat|partialclone|preciousobjects|refstorage|relativeworktrees|worktreeconfig)$/,
  feature: anything,
  fetch:
    /^(?:all|fsckobjects|negotiationalgorithm|output|parallel|prune|prunetags|recursesubmodules|showforcedupdates|unpacklimit|writecommitgraph)$/,
  format:
    /^(?:attach|coverletter|encodeemailheaders|forceinbodyfrom|from|headers|notes|numbered|pretty|subjectprefix|suffix|thread|useautobase)$/,
  fsck: anything,
  gc: anything,
  gpg: /^(?:format|program|mintrustlevel)$/,
  grep: /^(?:column|extendedregexp|fallbacktonoindex|fullname|linenumber|patterntype|threads)$/,
  http: /^(?:followredirects|lowspeedlimit|lowspeedtime|maxrequestbuffer|maxrequests|minsessions|postbuffer|savecookies|sslverify|sslversion|sslciphersuites|useragent|version)$/,
  i18n: anything,
  index: anything,
  init: /^(?:defaultbranch|defaultobjectformat|defaultrefformat)$/,
  interactive: /^(?:singlekey|difffilter)$/,
  log: anything,
  lsrefs: anything,
  mailinfo: anything,
  mailmap: anything,
  maintenance: anything,
  merge:
    /^(?:autoedit|autostash|branchdesc|conflictstyle|defaulttoupstream|directoryrenames|ff|log|name|recursive|renamelimit|renames|renormalize|stat|suppressdest|verbosity|verifysignatures)$/,
  notes: anything,
  pack: /^(?!.*hook).*$/,
  pull: /^(?:ff|rebase)$/,
  push: /^(?:autosetupremote|default|followtags|gpgsign|negotiate|pushoption|recursesubmodules|useforceifincludes|usebitmaps)$/,
  rebase:
    /^(?:abbreviatecommands|autosquash|autostash|backend|forkpoint|missingcommitscheck|rebasemerges|reschedulefailedexec|stat|updaterefs)$/,
  receive: anything,
  remote:
    /^(?:url|pushurl|fetch|push|pushdefault|mirror|prune|prunetags|skipdefaultupdate|skipfetchall|tagopt|promisor|partialclonefilter|followremotehead|gh-resolved)$/,
  repack: anything,
  rerere: anything,
  revert: anything,
  safe: anything,
  sequence: /^editor$/,
  showbranch: anything,
  sparse: anything,
  splitindex: anything,
  stash: anything,
  status: anything,
  submodule:
    /^(?:active|url|branch|fetchrecursesubmodules|ignore|recurse|fetchjobs|propagatebranches|alternateerrorstrategy|alternatelocation)$/,
  tag: /^(?:forcesignannotated|gpgsign|sort)$/,
  trailer: /^(?:separators|where|ifexists|ifmissing|key)$/,
  transfer: /^(?:advertisesid|credentialsinurl|fsckobjects|hiderefs|unpacklimit|bundleuri)$/,
  user: /^(?:name|email|useconfigonly|signingkey)$/,
  versionsort: anything,
  worktree: anything,
};

/** Sections of git that have nothing harmless in them, or that nothing which passes would read. */
const harmful = new Set([
  ...[
    "alias",
    "browser",
    "bundle",
    "difftool",
    "filter",
    "guitool",
    "include",
    "includeif",
    "instaweb",
    "man",
  ],
  ...[
    "mergetool",
    "pager",
    "protocol",
    "remotes",
    "ssh",
    "tar",
    "trace2",
    "uploadarchive",
    "uploadpack",
    "url",
    "web",
  ],
  ...[
    "uploadpackfilter",
    "sendemail",
    "imap",
    "credentialcache",
    "credentialstore",
    "fastimport",
    "help",
    "hook",
  ],
]);

/** Settings for one URL or driver are stronger than those that janee sets for all. */
const wholeSectionOnly = new Set(["http", "credential", "gpg", "core", "protocol"]);

/**
 * `listing`: what `git config --includes --list -z` prints, or the same of `.gitmodules` (`gitModulesLook`). The first setting that would redirect or run something.
 */
export function unsafeGitConfig(listing: string): string | undefined {
  for (const entry of listing.split("\0")) {
    if (entry === "") continue;
    const end = entry.indexOf("\n");
    const key = end < 0 ? entry : entry.slice(0, end);
    const value = end < 0 ? undefined : entry.slice(end + 1);
    if (!isHarmless(key, value)) return printable(key);
  }
  return undefined;
}

function isHarmless(key: string, value: string | undefined): boolean {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  const section = (first < 0 ? key : key.slice(0, first)).toLowerCase();
  const name = key.slice(last + 1).toLowerCase();
  const sub = last > first ? key.slice(first + 1, last) : undefined;
  if (section === "alias") return !/^\s*!/.test(value ?? "");
  if (section === "pager") return value === undefined || /^(?:true|false|yes|no|on|off|[01]?)$/i.test(value);
  if (harmful.has(section)) return false;
  const names = Object.hasOwn(harmless, section) ? harmless[section] : undefined;
  if (!names) return true;
  if (!names.test(name) || (sub !== undefined && wholeSectionOnly.has(section))) return false;
  return isHarmlessValue(section, name, value ?? "");
}

function isHarmlessValue(section: string, name: string, value: string): boolean {
  // `git@host:path` is only refused once git wants to go there; another transport in `url` is there to be run.
  if (section === "remote" && /url$/.test(name)) return !/^\s*(?:-|[A-Za-z0-9+._-]+::)/.test(value);
  if (section === "branch" && /remote$/.test(name))
    return /^[A-Za-z0-9._/-]*$/.test(value) && !value.startsWith("-");
  // With any other value git looks into a repository inside this one, which has settings of its own.
  if (section === "submodule" && name === "ignore") return value === "all";
  if (section === "submodule" && name === "url") return !/^\s*(?:-|[A-Za-z0-9+._-]+::)/.test(value);
  return true;
}

function printable(key: string): string {
  const plain = key.replace(/[^\x20-\x7e]/g, "?");
  return plain.length > 100 ? `${plain.slice(0, 100)}…` : plain;
}

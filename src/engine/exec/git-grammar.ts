// The sub-commands of git that pass, each with its options. What is missing is missing for a reason, or because
// nobody needed it yet: options that start programs, read or write files elsewhere, or open an editor stay out.
import { type Grammar, grammar } from "./options.ts";

const diff = `-p -u --patch -s --no-patch --raw --patch-with-raw --patch-with-stat --stat? --compact-summary --numstat
  --shortstat --dirstat? --summary -z --name-only --name-status --color? --no-color --color-moved? --no-color-moved
  --word-diff? --word-diff-regex= --color-words? --no-renames --rename-empty --no-rename-empty --check --full-index
  --binary --abbrev? --no-abbrev -B? --break-rewrites? -M? --find-renames? -C? --find-copies? --find-copies-harder
  --irreversible-delete -D -l= --diff-filter= -S= -G= --pickaxe-all --pickaxe-regex -R --relative? --no-relative
  -a --text --ignore-cr-at-eol --ignore-space-at-eol -b --ignore-space-change -w --ignore-all-space
  --ignore-blank-lines -I= --ignore-matching-lines= --inter-hunk-context= -W --function-context --no-ext-diff
  --no-textconv -U= --unified= --minimal --patience --histogram --diff-algorithm= --anchored= --indent-heuristic
  --no-indent-heuristic --src-prefix= --dst-prefix= --no-prefix --line-prefix= --ws-error-highlight=`;
const log = `-# -n= --max-count= --skip= --since= --after= --until= --before= --author= --committer= --grep= --all-match
  --invert-grep -i --regexp-ignore-case -E --extended-regexp -F --fixed-strings -P --perl-regexp --basic-regexp
  --merges --no-merges --min-parents= --max-parents= --first-parent --not --all --branches? --tags? --remotes? --glob=
  --exclude= --reflog -g --walk-reflogs --cherry --cherry-mark --cherry-pick --left-right --left-only --right-only
  --boundary --simplify-by-decoration --full-history --dense --sparse --simplify-merges --ancestry-path? --date-order
  --author-date-order --topo-order --reverse --oneline --pretty? --format= --abbrev-commit --no-abbrev-commit
  --encoding= --notes? --no-notes --date= --relative-date --parents --children --graph --no-graph --show-linear-break?
  --follow --decorate? --no-decorate --decorate-refs= --decorate-refs-exclude= --source --use-mailmap --no-mailmap
  --log-size -L= -c --cc -m --diff-merges= --no-diff-merges -t --expand-tabs? --no-expand-tabs --full-diff --count
  --no-walk? --do-walk --merge --clear-decorations -q --quiet --right-only --exclude-first-parent-only --bisect`;
const message = `-m= --message= -F= --file= --cleanup= --signoff -s --no-signoff`;
const merge = `--commit --no-commit --edit --no-edit --ff --no-ff --ff-only --log? --no-log --squash --no-squash -s=
  --strategy= -X= --strategy-option= --stat --no-stat -n --autostash --no-autostash --allow-unrelated-histories
  --no-gpg-sign --no-verify --verify -q --quiet -v --verbose --progress --no-progress`;
const network = `-q --quiet -v --verbose --progress --no-progress -4 --ipv4 -6 --ipv6`;
const fetch = `${network} --all --no-all -a --append --atomic --depth= --deepen= --shallow-since= --shallow-exclude= --unshallow
  --update-shallow --dry-run -f --force -k --keep -p --prune --no-prune -P --prune-tags -n --no-tags -t --tags
  --no-recurse-submodules -j= --jobs= --refetch --no-auto-maintenance --no-auto-gc --no-write-fetch-head
  --write-fetch-head --no-show-forced-updates --show-forced-updates`;

const tables: Readonly<Record<string, readonly string[]>> = {
  status: [
    `-s --short -b --branch --show-stash --porcelain? --long -v --verbose -u? --untracked-files? --ignored? -z
     --column? --no-column --ahead-behind --no-ahead-behind --renames --no-renames --find-renames?`,
  ],
  log: [diff, log],
  show: [diff, log],
  shortlog: [log, "--committer -s --summary -n --numbered -e --email --group= -w? -c"],
  "rev-list": [
    log,
    "--objects --objects-edge --disk-usage --use-bitmap-index --count --timestamp --no-commit-header --header",
  ],
  diff: [
    diff,
    "--cached --staged --merge-base --exit-code --quiet -q --ours --theirs --base -1 -2 -3 -0 -c --cc -m -t",
  ],
  "diff-tree": [diff, "-r -t --root --merge-base -m -c --cc --no-commit-id --pretty? --format= -s --stdin"],
  "diff-index": [diff, "--cached -m --merge-base"],
  "diff-files": [diff, "-q -0 -1 -2 -3"],
  reflog: [log, diff],
  add: [
    `-n --dry-run -v --verbose -f --force -A --all --no-all --no-ignore-removal --ignore-removal -u --update -N --intent-to-add
     --refresh --ignore-errors --ignore-missing --renormalize --chmod= --sparse --pathspec-file-nul`,
  ],
  mv: ["-f --force -n --dry-run -k -v --verbose --sparse"],
  rm: ["-f --force -n --dry-run -r --cached --ignore-unmatch -q --quiet --sparse"],
  clean: ["-d -f --force -n --dry-run -q --quiet -e= --exclude= -x -X"],
  commit: [
    message,
    `-a --all -v --verbose -q --quiet --dry-run --short --branch --porcelain --long -z --amend --no-edit --edit -e --allow-empty
     --allow-empty-message -n --no-verify --verify -c= -C= --reuse-message= --reedit-message= --fixup= --squash=
     --reset-author --author= --date= --trailer= -o --only -i --include --no-post-rewrite --status --no-status --no-gpg-sign
     -u? --untracked-files?`,
  ],
  branch: [
    `-a --all -r --remotes -l --list -v -vv --verbose -q --quiet -d --delete -D -f --force -m --move -M -c --copy -C
     --create-reflog --show-current --contains= --no-contains= --merged? --no-merged? --sort= --points-at= -i --ignore-case
     --format= --color? --no-color --column? --no-column --abbrev= --no-abbrev -t --track? --no-track -u= --set-upstream-to=
     --unset-upstream --omit-empty`,
  ],
  checkout: [
    `-q --quiet --progress --no-progress -f --force --ours --theirs -b= -B= -t --track? --no-track --guess --no-guess -l -d
     --detach --orphan= --ignore-skip-worktree-bits -m --merge --conflict= --overwrite-ignore --no-overwrite-ignore
     --overlay --no-overlay --ignore-other-worktrees --no-recurse-submodules`,
  ],
  switch: [
    `-c= --create= -C= --force-create= -d --detach --guess --no-guess -f --force --discard-changes -m --merge --conflict= -q
     --quiet --progress --no-progress -t --track? --no-track --orphan= --ignore-other-worktrees --no-recurse-submodules`,
  ],
  restore: [
    `-s= --source= -S --staged -W --worktree -q --quiet --progress --no-progress --ours --theirs -m --merge --conflict=
     --ignore-unmerged --ignore-skip-worktree-bits --overlay --no-overlay --no-recurse-submodules`,
  ],
  reset: [
    "-q --quiet --no-quiet --refresh --no-refresh --soft --mixed --hard --merge --keep -N --intent-to-add --no-recurse-submodules",
  ],
  merge: [
    merge,
    "-m= -F= --file= --into-name= --abort --continue --quit --cleanup= --signoff --no-signoff --rerere-autoupdate --no-rerere-autoupdate --overwrite-ignore --no-overwrite-ignore",
  ],
  "merge-base": ["-a --all --octopus --independent --is-ancestor --fork-point"],
  rebase: [
    `--onto= --keep-base --continue --abort --quit --skip --show-current-patch --apply -m --merge -q --quiet -v --verbose --stat
     -n --no-stat --no-verify --verify -C= --force-rebase -f --no-ff --committer-date-is-author-date --ignore-date
     --reset-author-date --ignore-whitespace --whitespace= --root --autosquash --no-autosquash --autostash --no-autostash
     --fork-point --no-fork-point --no-rebase-merges --rebase-merges? --update-refs --no-update-refs --empty= --keep-empty
     --no-keep-empty --reapply-cherry-picks --no-reapply-cherry-picks -s= --strategy= -X= --strategy-option= --signoff
     --no-gpg-sign --rerere-autoupdate --no-rerere-autoupdate`,
  ],
  "cherry-pick": [
    `-x -r -m= --mainline= -n --no-commit -s --signoff --no-gpg-sign --ff --allow-empty --allow-empty-message
     --keep-redundant-commits --strategy= -X= --strategy-option= --continue --skip --abort --quit --cleanup= --no-edit --edit -e`,
  ],
  revert: [
    `-m= --mainline= -n --no-commit -s --signoff --no-gpg-sign --no-edit --edit -e --strategy= -X= --strategy-option=
     --continue --skip --abort --quit --cleanup= --reference`,
  ],
  stash: [
    diff,
    `-k --keep-index --no-keep-index -q --quiet --include-untracked --all -m= --message= --index --only-untracked --staged -S
     -u -p --oneline --format= --pretty?`,
  ],
  tag: [
    `-a --annotate --no-sign -f --force -d --delete -n? -l --list --sort= --color? -i --ignore-case --column? --no-column
     --contains= --no-contains= --merged? --no-merged? --points-at= -m= --message= -F= --file= --cleanup= --create-reflog --format=
     --omit-empty`,
  ],
  blame: [
    `-c -b -L= -l -t -S= --reverse --first-parent -p --porcelain --line-porcelain --incremental --encoding= --date= -M? -C? -e
     --show-email -f --show-name -n --show-number -s -w --root --abbrev= --show-stats --score-debug --progress
     --no-progress --color-lines --color-by-age --ignore-rev= --since= --minimal`,
  ],
  grep: [
    `-i --ignore-case -I -a --text -w --word-regexp -v --invert-match -h -H --full-name -E --extended-regexp -G
     --basic-regexp -P --perl-regexp -F --fixed-strings -n --line-number --column -l --files-with-matches --name-only -L
     --files-without-match -z --null -o --only-matching -c --count --color? --no-color --break --heading -p --show-function
     -C= --context= -A= --after-context= -B= --before-context= -W --function-context -m= --max-count= --max-depth= -r
     --recursive --no-recursive -e= --and --or --not --all-match -q --quiet --cached --untracked
     --exclude-standard --no-exclude-standard --threads= --no-textconv -#`,
  ],
  "ls-files": [
    `-c --cached -d --deleted -m --modified -o --others -i --ignored -s --stage -u --unmerged -k --killed --directory
     --no-empty-directory --eol -z -t -v -f -x= --exclude= --exclude-standard --error-unmatch --full-name --abbrev?
     --deduplicate --format= --resolve-undo`,
  ],
  "ls-tree": [
    "-d -r -t -l --long -z --name-only --name-status --object-only --abbrev? --full-name --full-tree --format=",
  ],
  "rev-parse": [
    `--verify -q --quiet --short? --symbolic --symbolic-full-name --abbrev-ref? --all --branches? --tags? --remotes? --is-inside-work-tree
     --is-inside-git-dir --is-bare-repository --is-shallow-repository --show-toplevel --show-prefix --show-cdup
     --show-superproject-working-tree --git-dir --absolute-git-dir --git-common-dir --show-object-format? --git-path=
     --revs-only --no-revs --flags --no-flags --default= --not --end-of-options --show-ref-format --local-env-vars`,
  ],
  "show-ref": [
    "--head --heads --branches --tags -d --dereference -s --hash? --verify --exists --abbrev? -q --quiet",
  ],
  "for-each-ref": [
    "--count= --sort= --format= --color? --points-at= --merged? --no-merged? --contains= --no-contains= --ignore-case --omit-empty --exclude=",
  ],
  "symbolic-ref": ["-q --quiet --short --recurse --no-recurse"],
  "name-rev": ["--tags --refs= --exclude= --all --name-only --no-undefined --always"],
  describe: [
    "--dirty? --broken? --all --tags --contains --abbrev= --candidates= --exact-match --debug --long --match= --exclude= --always --first-parent",
  ],
  "cat-file": ["-t -s -e -p"],
  "count-objects": ["-v --verbose -H --human-readable"],
  "check-ignore": ["-q --quiet -v --verbose -z -n --non-matching"],
  "check-attr": ["-a --all --cached -z"],
  "range-diff": [diff, "--no-dual-color --creation-factor= --left-only --right-only --no-notes --notes?"],
  cherry: ["-v --abbrev?"],
  notes: ["-f --force -m= --message= --ref="],
  init: ["-q --quiet --bare --object-format= -b= --initial-branch="],
  apply: [
    `--stat --numstat --summary --check --index --cached -3 --3way -R --reverse --reject -z -p= -C= --unidiff-zero --apply
     --no-add --binary --exclude= --include= --ignore-space-change --ignore-whitespace --whitespace= --inaccurate-eof
     -v --verbose -q --quiet --recount --directory= --allow-empty -N --intent-to-add`,
  ],
  am: [
    "-s --signoff -k --keep --keep-cr --no-keep-cr -c --scissors --no-scissors -q --quiet -u --utf8 --no-utf8 -3 --3way --no-3way --ignore-space-change --ignore-whitespace --whitespace= -C= -p= --directory= --exclude= --include= --reject --continue -r --resolved --skip --abort --quit --no-verify --no-gpg-sign",
  ],
  "format-patch": [
    diff,
    "-# -n --numbered -N --no-numbered --stdout -s --signoff --subject-prefix= --rfc -v= --reroll-count= --cover-letter --no-cover-letter --root --start-number= --keep-subject -k --zero-commit --base=",
  ],
  worktree: ["-v --verbose --porcelain -z"],
  submodule: ["-q --quiet --cached --recursive"],
  config: [
    "--local --get= --get-all= --get-regexp= -l --list -z --null --name-only --show-origin --show-scope --type= --default= --unset= --bool --int",
  ],
  remote: [
    "-v --verbose -n -t= -f --fetch -m= --tags --no-tags --push --all --add --delete --dry-run --prune -p",
  ],
  clone: [
    network,
    `-n --no-checkout --bare --mirror -o= --origin= -b= --branch= --depth= --shallow-since= --shallow-exclude= --single-branch
     --no-single-branch --no-tags --no-recurse-submodules --no-remote-submodules --filter= --sparse -j= --jobs=
     --reject-shallow --no-reject-shallow`,
  ],
  fetch: [fetch, "--multiple --set-upstream --negotiate-only --refmap= --filter= --prefetch"],
  pull: [
    fetch,
    merge,
    "-r? --rebase? --no-rebase --set-upstream --cleanup= --signoff --no-signoff --no-verify",
  ],
  push: [
    network,
    `--all --branches --mirror --tags --follow-tags --no-follow-tags -d --delete -n --dry-run --porcelain -f --force
     --force-with-lease? --no-force-with-lease --force-if-includes --no-force-if-includes -u --set-upstream --thin --no-thin
     --prune --no-verify --verify --atomic --no-atomic --no-signed --no-recurse-submodules -o= --push-option=`,
  ],
  "ls-remote": ["-h --heads --branches -t --tags --refs -q --quiet --exit-code --get-url --sort= --symref"],
  bisect: ["--no-checkout --first-parent --term-old= --term-new= --term-good= --term-bad="],
  version: ["--build-options"],
};

const grammars = new Map<string, Grammar>();

/** Undefined for a sub-command that never passes. */
export function gitGrammar(command: string): Grammar | undefined {
  const lists = Object.hasOwn(tables, command) ? tables[command] : undefined;
  if (!lists) return undefined;
  const found = grammars.get(command) ?? grammar(...lists);
  grammars.set(command, found);
  return found;
}

export const gitCommands: readonly string[] = Object.keys(tables);

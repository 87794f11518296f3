// The commands of gh that pass, each with its options. What opens a browser or an editor, uploads or reads files,
// shows or changes the login, or starts programs stays out; so do the short names of commands (`new`, `ls`), by which
// a rule of the config could be dodged.
import { type Grammar, grammar } from "./options.ts";

const json = "--json= -q= --jq= -t= --template=";
const repo = "-R= --repo=";
const texts = "-t= --title= -b= --body= -F= --body-file=";

const tables: Readonly<Record<string, string>> = {
  "issue list": `${json} ${repo} -a= --assignee= --app= -A= --author= -l= --label= -L= --limit= --mention= -m= --milestone= -S= --search= -s= --state=`,
  "issue view": `${json} ${repo} -c --comments`,
  "issue status": `${json} ${repo}`,
  "issue create": `${texts} ${repo} -a= --assignee= -l= --label= -m= --milestone= -p= --project=`,
  "issue comment": `${repo} -b= --body= -F= --body-file= --edit-last --create-if-none`,
  "issue close": `${repo} -c= --comment= -r= --reason=`,
  "issue reopen": `${repo} -c= --comment=`,
  "issue edit": `${texts} ${repo} --add-assignee= --add-label= --add-project= -m= --milestone= --remove-assignee= --remove-label= --remove-milestone --remove-project=`,
  "issue pin": repo,
  "issue unpin": repo,
  "issue lock": `${repo} -r= --reason=`,
  "issue unlock": repo,
  "pr list": `${json} ${repo} --app= -a= --assignee= -A= --author= -B= --base= -d --draft -H= --head= -l= --label= -L= --limit= -S= --search= -s= --state=`,
  "pr view": `${json} ${repo} -c --comments`,
  "pr status": `${json} ${repo} -c --conflict-status`,
  "pr diff": `${repo} --color= --name-only --patch`,
  "pr checks": `${json} ${repo} --fail-fast -i= --interval= --required --watch`,
  "pr create": `${texts} ${repo} -a= --assignee= -B= --base= -d --draft --dry-run -f --fill --fill-first --fill-verbose -H= --head= -l= --label= -m= --milestone= --no-maintainer-edit -p= --project= -r= --reviewer=`,
  "pr comment": `${repo} -b= --body= -F= --body-file= --edit-last --create-if-none`,
  "pr review": `${repo} -a --approve -b= --body= -F= --body-file= -c --comment -r --request-changes`,
  "pr edit": `${texts} ${repo} --add-assignee= --add-label= --add-project= --add-reviewer= -B= --base= -m= --milestone= --remove-assignee= --remove-label= --remove-milestone --remove-project= --remove-reviewer=`,
  "pr close": `${repo} -c= --comment= -d --delete-branch`,
  "pr reopen": `${repo} -c= --comment=`,
  "pr ready": `${repo} --undo`,
  "pr merge": `${repo} --auto -b= --body= -F= --body-file= -d --delete-branch --disable-auto --match-head-commit= -m --merge -r --rebase -s --squash -t= --subject=`,
  "pr checkout": `${repo} -b= --branch= --detach -f --force`,
  "pr update-branch": `${repo} --rebase`,
  "pr lock": `${repo} -r= --reason=`,
  "pr unlock": repo,
  "repo view": `${json} -b= --branch=`,
  "repo list": `${json} --archived --fork -l= --language= -L= --limit= --no-archived --source --topic= --visibility=`,
  "repo clone": "--no-upstream",
  "repo create": `-d= --description= --public --private --internal --add-readme --disable-issues --disable-wiki -g= --gitignore= -h= --homepage= --include-all-branches -l= --license= -p= --template= --clone -c`,
  "repo fork": "--clone= --default-branch-only --fork-name= --org= --remote=",
  "repo sync": "-b= --branch= --force -s= --source=",
  "repo edit": `--add-topic= --remove-topic= --default-branch= -d= --description= -h= --homepage= --enable-issues= --enable-wiki= --enable-projects= --enable-discussions= --delete-branch-on-merge= --enable-auto-merge= --enable-merge-commit= --enable-rebase-merge= --enable-squash-merge= --template=`,
  "release list": `${json} ${repo} --exclude-drafts --exclude-pre-releases -L= --limit= -O= --order=`,
  "release view": `${json} ${repo}`,
  "release create": `${repo} --discussion-category= -d --draft --fail-on-no-commits --generate-notes --latest= -n= --notes= -F= --notes-file= --notes-from-tag --notes-start-tag= -p --prerelease --target= -t= --title= --verify-tag`,
  "release edit": `${repo} --discussion-category= --draft= --latest= -n= --notes= -F= --notes-file= --prerelease= --tag= --target= -t= --title= --verify-tag`,
  "release delete": `${repo} --cleanup-tag -y --yes`,
  "release download": `${repo} -A= --archive= --clobber -D= --dir= -O= --output= -p= --pattern= --skip-existing`,
  "run list": `${json} ${repo} -a --all -b= --branch= -c= --commit= --created= -e= --event= -L= --limit= -s= --status= -u= --user= -w= --workflow=`,
  "run view": `${json} ${repo} -a= --attempt= --exit-status -j= --job= --log --log-failed -v --verbose`,
  "run watch": `${repo} --compact --exit-status -i= --interval=`,
  "run rerun": `${repo} -d --debug --failed -j= --job=`,
  "run cancel": `${repo} --force`,
  "run download": `${repo} -D= --dir= -n= --name= -p= --pattern=`,
  "workflow list": `${json} ${repo} -a --all -L= --limit=`,
  "workflow view": `${repo} -r= --ref= -y --yaml`,
  "workflow run": `${repo} -f= --raw-field= -F= --field= -r= --ref=`,
  "workflow enable": repo,
  "workflow disable": repo,
  "label list": `${json} ${repo} -L= --limit= --order= -S= --search= --sort=`,
  "label create": `${repo} -c= --color= -d= --description= -f --force`,
  "label edit": `${repo} -c= --color= -d= --description= -n= --name=`,
  "label delete": `${repo} --yes`,
  "cache list": `${json} ${repo} -k= --key= -L= --limit= -O= --order= -r= --ref= -S= --sort=`,
  "cache delete": `${repo} -a --all`,
  "secret list": `${json} ${repo} -a= --app= -e= --env= -o= --org= -u --user`,
  "variable list": `${json} ${repo} -e= --env= -o= --org=`,
  "variable get": `${json} ${repo} -e= --env= -o= --org=`,
  "ruleset list": `${repo} -L= --limit= -o= --org= -p --parents`,
  "ruleset view": `${repo} -o= --org= -p --parents`,
  "gist list": `--filter= --include-content -L= --limit= --public --secret`,
  "gist view": "-f= --filename= --files -r --raw",
  "org list": "-L= --limit=",
  "project list": `--format= ${json} -L= --limit= --owner= --closed`,
  "project view": `--format= ${json} --owner=`,
  "project item-list": `--format= ${json} -L= --limit= --owner=`,
  "project field-list": `--format= ${json} -L= --limit= --owner=`,
  "search issues": `${json} --app= --archived --assignee= --author= --closed= --commenter= --comments= --created= --include-prs --interactions= --involves= --label= --language= -L= --limit= --locked --match= --mentions= --milestone= --no-assignee --no-label --no-milestone --no-project --order= --owner= --project= --reactions= ${repo} --sort= --state= --team-mentions= --updated= --visibility=`,
  "search prs": `${json} --app= --archived --assignee= --author= -B= --base= --checks= --closed= --commenter= --comments= --created= --draft -H= --head= --interactions= --involves= --label= --language= -L= --limit= --locked --match= --mentions= --merged --merged-at= --milestone= --no-assignee --no-label --no-milestone --no-project --order= --owner= --project= --reactions= ${repo} --review= --review-requested= --reviewed-by= --sort= --state= --team-mentions= --updated= --visibility=`,
  "search repos": `${json} --archived= --created= --followers= --forks= --good-first-issues= --help-wanted-issues= --include-forks= --language= --license= -L= --limit= --match= --number-topics= --order= --owner= --size= --sort= --stars= --topic= --updated= --visibility=`,
  "search code": `${json} --extension= --filename= --language= -L= --limit= --match= --owner= ${repo} --size=`,
  "search commits": `${json} --author= --author-date= --author-email= --author-name= --committer= --committer-date= --committer-email= --committer-name= --hash= -L= --limit= --merge --order= --owner= --parent= ${repo} --sort= --tree= --visibility=`,
  "auth status": "-a --active",
  status: "-e= --exclude= -o= --org=",
  version: "",
  api: "-X= --method= -f= --raw-field= -F= --field= -H= --header= -i --include --input= -q= --jq= -t= --template= --paginate --slurp --silent --cache= -p= --preview=",
};

const grammars = new Map<string, Grammar>();

/** `command`: `issue list`, `api`. Undefined for one that never passes. */
export function ghGrammar(command: string): Grammar | undefined {
  const list = Object.hasOwn(tables, command) ? tables[command] : undefined;
  if (list === undefined) return undefined;
  const found = grammars.get(command) ?? grammar(list);
  grammars.set(command, found);
  return found;
}

export const ghCommands: readonly string[] = Object.keys(tables);

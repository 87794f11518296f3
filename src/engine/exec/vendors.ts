// Known ways out of other tools. For most of them this is a list of what is refused, not of what passes: it closes the
// doors that are known, and rules on arguments are what closes the others.
import { grammar, readArguments, shown } from "./options.ts";
import { readsProcess } from "./paths.ts";

interface WaysOut {
  /** Sub-commands, as the first words that are no options: `config`, `auth token`. */
  readonly words: readonly string[];
  /** Long options in full; every abbreviation and `=` form of one is one. */
  readonly long: readonly string[];
  /** Letters of short options, glued, clustered or alone. */
  readonly short: string;
  readonly reason: string;
  /** Options are words with one dash, such as `-exec`: no clusters. */
  readonly oneDash?: boolean;
}

function out(reason: string, words: string, long: string, short = "", oneDash = false): WaysOut {
  const list = (text: string): string[] => (text === "" ? [] : text.split(","));
  return { reason, words: list(words), long: list(long).map((name) => `--${name}`), short, oneDash };
}

const login = "it shows or changes the login, the configuration or where requests go";
const starts = "it starts a program that its arguments name";
const cluster = "it takes the configuration or the cluster from elsewhere, or starts programs";

const ways: ReadonlyMap<string, WaysOut> = new Map([
  [
    "stripe",
    out(
      login,
      "config,login,logout,listen,open,plugin,plugins,serve,s,fixtures,samples,completion,terminal,daemon",
      "config,api-key,api-base,device-name,project-name,log-level,forward-to,forward-connect-to,load-from-webhooks-api,show-headers",
      "p",
    ),
  ],
  [
    "aws",
    out(
      login,
      "configure,sso,ecr get-login-password,ecr get-login,codeartifact get-authorization-token,sts get-session-token,ssm start-session,eks get-token,eks update-kubeconfig",
      "endpoint-url,profile,debug,no-verify-ssl,ca-bundle,cli-input-json,cli-input-yaml",
    ),
  ],
  [
    "gcloud",
    out(
      login,
      "auth,config,init,compute ssh,compute scp,compute start-iap-tunnel,iam service-accounts keys,components,interactive,info",
      "configuration,account,impersonate-service-account,access-token-file,log-http,flags-file,credential-file-override",
    ),
  ],
  [
    "az",
    out(
      login,
      "login,logout,account get-access-token,config,configure,extension,ssh,rest,interactive",
      "debug",
    ),
  ],
  ["heroku", out(login, "auth,login,logout,config,run,ps:exec,plugins,local,authorizations,clients", "")],
  [
    "vercel",
    out(
      login,
      "login,logout,env,dev,link,switch,teams,tokens",
      "token,global-config,local-config,api,debug",
      "tAQ",
    ),
  ],
  ["netlify", out(login, "login,logout,dev,dev:exec,env,env:list,env:get,api,switch,status", "auth,debug")],
  [
    "flyctl",
    out(login, "auth,tokens,ssh,proxy,config env,console,settings", "access-token,debug,config", "tc"),
  ],
  ["fly", out(login, "auth,tokens,ssh,proxy,config env,console,settings", "access-token,debug,config", "tc")],
  [
    "doctl",
    out(
      login,
      "auth,compute ssh,kubernetes cluster kubeconfig",
      "access-token,api-url,config,context,trace",
      "tucf",
    ),
  ],
  ["glab", out(login, "auth,alias,config,token,ssh-key", "hostname")],
  ["wrangler", out(login, "login,logout,whoami,secret,dev,config", "config,env-file", "c")],
  [
    "kubectl",
    out(
      cluster,
      "config,exec,cp,proxy,plugin,port-forward,attach,debug,edit,run,kustomize,completion,auth",
      "kubeconfig,server,token,as,as-group,as-uid,user,username,password,cluster,context,client-key,client-certificate,certificate-authority,insecure-skip-tls-verify,tls-server-name,proxy-url,raw,kuberc,cache-dir,profile,profile-output,template,v,filename,kustomize",
      "sfkv",
    ),
  ],
  [
    "helm",
    out(
      cluster,
      "plugin,env,registry,repo,push,completion",
      "kubeconfig,kube-apiserver,kube-token,kube-context,kube-ca-file,kube-as-user,kube-as-group,post-renderer,post-renderer-args,repository-config,repository-cache,registry-config,plugins,set-file,values,debug",
      "f",
    ),
  ],
  [
    "terraform",
    out(
      starts,
      "console,login,logout,state push,providers,init,workspace",
      "chdir,var-file,plugin-dir,backend-config,config",
      "",
      true,
    ),
  ],
  ["zip", out(starts, "", "unzip-command,test,temp-path", "Tb")],
  [
    "rsync",
    out(
      starts,
      "",
      "rsh,rsync-path,daemon,config,password-file,files-from,include-from,exclude-from,filter,log-file,write-batch,read-batch,early-input,sockopts,port",
      "efM",
    ),
  ],
  ["ssh", out(starts, "", "", "oFJWDLRSEIimQOwX")],
  ["scp", out(starts, "", "", "oFJSDXi")],
  ["sftp", out(starts, "", "", "oFJSDbXis")],
  ["find", out(starts, "", "exec,execdir,ok,okdir,delete,fprint,fprint0,fprintf,fls,files0-from", "", true)],
  [
    "wget",
    out(
      starts,
      "",
      "use-askpass,execute,config,input-file,post-file,body-file,output-document,output-file,append-output,header,load-cookies,save-cookies,proxy-user,ca-certificate,no-check-certificate,base,warc-file,rejected-log,directory-prefix",
      "eioOaBP",
    ),
  ],
  ["man", out(starts, "", "pager,html,gxditview,config-file,preprocessor,locale,manpath,systems", "PHXCpLM")],
  ["sort", out(starts, "", "compress-program,files0-from,output,temporary-directory", "oT")],
  ["sed", out(starts, "", "expression,file,in-place", "efi")],
  ["psql", out(starts, "", "file,output,log-file,variable,set,host,port", "foLvhp")],
]);

export const vendorCommands: readonly string[] = [...ways.keys(), "curl", "tar"];

/** Why these arguments are refused; undefined when they pass, or when nothing is known of the command. */
export function vendorPreset(command: string, args: readonly string[]): string | undefined {
  if (command === "curl") return curl(args);
  if (command === "tar") return tar(args);
  const way = ways.get(command);
  if (!way) return undefined;
  for (const argument of args) {
    const problem =
      readsProcess(argument) ?? (argument.startsWith("-") ? badOption(way, argument) : undefined);
    if (problem) return `${command}: ${problem}`;
  }
  const word = way.words.find((one) => isSubCommand(one.split(" "), args));
  return word && `${command} ${word} is refused: ${way.reason}`;
}

/** Whether a sub-command stands in the arguments; each option before it can have taken one word as its value. */
function isSubCommand([first, ...more]: readonly string[], args: readonly string[]): boolean {
  let options = 0;
  let words = 0;
  for (const [at, argument] of args.entries()) {
    if (argument.startsWith("-")) {
      options++;
      continue;
    }
    const later = args.slice(at + 1).map((one) => one.toLowerCase());
    // `auth:token` is one of `auth`.
    const word = argument.toLowerCase();
    const hit = word === first || word.startsWith(`${first}:`);
    if (words <= options && hit && more.every((one) => later.includes(one))) return true;
    words++;
  }
  return false;
}

function badOption({ long, short, reason, oneDash }: WaysOut, argument: string): string | undefined {
  const refuse = `${shown(argument)} is refused: ${reason}`;
  const name = argument.split("=")[0] ?? "";
  if (oneDash || argument.startsWith("--")) {
    const doubled = name.startsWith("--") ? name : `-${name}`;
    const hit =
      doubled.length > 2 && long.some((one) => one === doubled || (!oneDash && one.startsWith(doubled)));
    return hit ? refuse : undefined;
  }
  return [...name.slice(1)].some((letter) => short.includes(letter)) ? refuse : undefined;
}

const curlGrammar = grammar(
  `-s --silent -S --show-error -f --fail --fail-with-body -i --include -I --head -G --get --compressed -X= --request= -H= --header=
   -d= --data= --data-raw= --data-binary= --data-urlencode= --data-ascii= --json= -m= --max-time= --connect-timeout= --retry=
   --retry-delay= -A= --user-agent= --http1.1 --http2 -4 --ipv4 -6 --ipv6 --tlsv1.2 --tlsv1.3 -q --disable --url-query=`,
);

/** curl reads files, variables and settings in so many ways that only a few options pass. */
function curl(args: readonly string[]): string | undefined {
  const read = readArguments(curlGrammar, args);
  if (typeof read === "string") return `curl: ${read}`;
  for (const { name, value } of read.options) {
    if (value === undefined || /^--data-raw$|^-X$|^--request$/.test(name)) continue;
    const file = value.startsWith("@") || (/url/.test(name) && value.includes("@"));
    if (file) return `curl: ${name} cannot read a file: write the value out`;
  }
  const urls = [...read.operands, ...(read.behind ?? [])];
  if (urls.length !== 1) return "curl: expected one address";
  // Braces and brackets would be a list of addresses.
  const plain = /^https:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][^\s{}[\]\\]*)?$/.test(urls[0] ?? "");
  return plain
    ? undefined
    : "curl: expected one address that begins with https://, without user, braces and brackets";
}

const tarGrammar = grammar(
  `-c -x -t -v -z -j -J -k -p -r -u -O --create --extract --list --verbose --gzip --bzip2 --xz --zstd --append --update --file=
   -f= --keep-old-files --exclude= --strip-components= --no-same-owner --numeric-owner --sort= --mtime= -a --auto-compress`,
);

function tar(args: readonly string[]): string | undefined {
  const [first = "", ...rest] = args;
  // The old style: letters first, without a dash.
  const bundled = /^[A-Za-z]+$/.test(first) ? [`-${first}`, ...rest] : args;
  const read = readArguments(tarGrammar, bundled);
  if (typeof read === "string") return `tar: ${read}`;
  const paths = [
    ...read.operands,
    ...(read.behind ?? []),
    ...read.options.flatMap(({ value }) => value ?? []),
  ];
  for (const path of paths) {
    // `host:file` would be fetched by a remote shell.
    if (path.includes(":")) return `tar: ${shown(path)} names another machine`;
    const problem = readsProcess(path);
    if (problem) return `tar: ${problem}`;
  }
  return undefined;
}

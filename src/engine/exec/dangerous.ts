// Commands that hand the credential to whoever writes their arguments: interpreters and shells, what starts other
// programs, what prints or sends files (the own environment is one: /proc/self/environ). No list is complete; it is
// there so that nobody lists one of these without meaning it.

const kinds: readonly (readonly [reason: string, names: string])[] = [
  [
    "it is a shell, which runs whatever its arguments or its input say",
    "sh bash zsh fish dash ash ksh mksh pdksh oksh loksh yash csh tcsh rbash rc es elvish nu nushell xonsh osh ysh busybox toybox cmd powershell pwsh command wsl sash posh",
  ],
  [
    "it is an interpreter, which runs whatever its arguments or its input say",
    "python pythonw pypy ipython jython micropython node nodejs bun bunx deno tsx ts-node ruby irb jruby perl php php-cgi lua luajit tclsh wish expect guile racket sbcl clisp julia rscript r ghc runghc ghci java jshell jbang groovy kotlin scala clojure elixir iex erl escript swift ocaml awk gawk mawk nawk original-awk goawk bc dc m4 osascript wscript cscript mshta qjs d8 jsc janet octave maxima gp nim crystal dotnet mono",
  ],
  [
    "it prints its environment, which holds the credential",
    "env printenv export set declare typeset compgen ps pstree top htop btop procs",
  ],
  [
    "it runs other commands, with the credential in their environment",
    "xargs parallel find fd fdfind gfind entr time gtime timeout gtimeout nice ionice renice chrt taskset nohup setsid stdbuf unbuffer watch script scriptlive screen tmux byobu zellij dtach abduco at batch crontab systemd-run systemctl run-parts start-stop-daemon chroot unshare nsenter setpriv capsh runuser flock choom prlimit numactl firejail bwrap proot fakeroot catchsegv ld ld.so ld-linux exec eval source nsjail runcon chpst daemonize direnv dotenv dotenvx mise asdf hyperfine valgrind make gmake bmake ninja cmake meson just task rake scons bazel ant mvn mvnw gradle gradlew sbt npm npx yarn yarnpkg pnpm pnpx corepack pip pip3 pipx uv uvx poetry pdm hatch tox nox conda mamba cargo rustc rustup go gofmt gcc cc clang tcc ld cpp g++ c++ clang++ rustdoc gem bundle bundler composer cpan cpanm luarocks nix nix-shell nix-build guix brew apt apt-get dpkg yum dnf rpm apk pacman snap flatpak tig lazygit mc ranger nnn vifm ctags cscope pre-commit lefthook husky act git-shell",
  ],
  ["it runs commands as somebody else", "sudo su doas pkexec gosu su-exec sudoedit visudo runas please"],
  [
    "it carries commands and files to other machines",
    "ssh scp sftp rsync rcp rsh rlogin slogin sshpass autossh mosh ssh-agent ssh-add ssh-keygen sshfs rclone croc magic-wormhole wormhole syncthing unison duplicity restic borg s3cmd lftp ftp ncftp tftp",
  ],
  [
    "it sends what it is told wherever it is told, and reads files such as its own environment",
    "curl wget wget2 aria2c axel http https httpie xh nc ncat netcat socat telnet openssl gnutls-cli websocat grpcurl dig nslookup host drill mail mailx sendmail msmtp mutt swaks logger lynx w3m links elinks chrome chromium google-chrome firefox",
  ],
  [
    "it opens a shell or runs commands from within, and shows any file",
    "vim vi nvim view vimdiff rvim gvim ex ed red nano pico emacs emacsclient micro helix hx kak joe jed code less more most man info pg pinfo bat batcat",
  ],
  [
    "it prints, copies or packs any file, and its own environment is one (/proc/self/environ)",
    "cat tac tee dd head tail nl od xxd hexdump hd strings base64 base32 basenc sed gsed grep egrep fgrep rg ag ack cut paste join comm sort uniq tr rev fold fmt pr column expand unexpand split csplit diff diff3 sdiff cmp cp mv ln install shuf iconv uuencode uudecode gpg gpg2 age tar gtar bsdtar zip unzip zipgrep 7z 7za 7zr rar unrar cpio pax ar gzip gunzip zcat zless zmore bzip2 bzcat xz xzcat zstd zstdcat lz4 pigz jq yq gojq jaq xq dasel xmllint xsltproc pandoc envsubst readlink look mapfile patch ptx vipe sponge",
  ],
  [
    "it looks into running programs, their environment and memory",
    "strace ltrace gdb lldb perf bpftrace dtrace dtruss truss sysdig gcore pstack uftrace rr crash frida lsof",
  ],
  [
    "it runs programs of the caller's choice elsewhere or in containers, and shows its own configuration and credentials",
    "kubectl oc k9s helm helmfile kustomize terraform tofu terragrunt pulumi packer vagrant ansible ansible-playbook ansible-console salt chef puppet docker docker-compose podman buildah skopeo nerdctl ctr crictl lxc lxd incus runc crun",
  ],
  [
    "it has a shell escape, and reads and writes any file",
    "sqlite sqlite3 psql mysql mariadb mysqldump pg_dump mongo mongosh mongodump redis-cli duckdb clickhouse clickhouse-client cqlsh sqlplus sqlcmd usql pgcli mycli litecli influx",
  ],
];

const reasons: ReadonlyMap<string, string> = new Map(
  kinds.flatMap(([reason, names]) => names.split(" ").map((name) => [name, reason] as const)),
);

const families: readonly string[] = ["python", "pypy", "perl", "ruby", "lua", "php", "ld"];

/** Why this command, a name or a path, is not to run unless somebody says so; undefined for all others. */
export function dangerReason(command: string): string | undefined {
  const base = command.split(/[\\/]/).at(-1) ?? "";
  const name = base
    .normalize("NFKC")
    .trim()
    .toLowerCase()
    .replace(/\.(?:exe|cmd|bat|com|ps1)$/, "");
  const found = reasons.get(name) ?? reasons.get(unversioned(name));
  if (found) return found;
  // python3.11-dbg, perl5.36-x86_64-linux-gnu, ld-linux-x86-64.so.2
  const family = families.find((one) => new RegExp(`^${one}[0-9.]*-`).test(name));
  return family && reasons.get(family);
}

/** `python3.12`, `ruby3.2`, `bash5`, `gcc-13`, `vim.basic`, `nc.openbsd` without what follows the name. */
function unversioned(name: string): string {
  return name
    .replace(/[.](?:basic|tiny|nox|gtk3?|traditional|openbsd|distrib)$/, "")
    .replace(/[-_]?v?[0-9][0-9.]*[a-z]?$/, "");
}

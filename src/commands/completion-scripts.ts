// What each shell needs to ask janee: the words so far go behind `--`, the candidates come back one a line.

export type CompletionShell = "bash" | "zsh" | "fish" | "powershell";

const bash = `_janee() {
  local IFS=$'\\n'
  COMPREPLY=($(janee completion --words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _janee janee`;

const zsh = `#compdef janee
_janee() {
  local -a found
  found=(\${(f)"$(janee completion --words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
if [[ "$funcstack[1]" == _janee ]]; then _janee "$@"; else compdef _janee janee; fi`;

const fish = `function __janee_words
  set -l typed (commandline -ct)
  set -l words (commandline -opc) "$typed"
  janee completion --words -- $words[2..-1] 2>/dev/null
end
complete -c janee -f -a '(__janee_words)'
complete -c janee -n '__fish_seen_subcommand_from run exec; and contains -- -- (commandline -opc)' -F`;

const powershell = `Register-ArgumentCompleter -Native -CommandName janee -ScriptBlock {
  param($typed, $line, $cursor)
  $words = @($line.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -le $cursor } | ForEach-Object { $_.ToString() })
  if ($typed -eq '') { $words += '""' }
  janee completion --words -- @words 2>$null | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;

export const completionScripts: Readonly<Record<CompletionShell, string>> = { bash, zsh, fish, powershell };

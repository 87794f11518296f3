export const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dadd, #3a3f45); --soft: light-dark(#5b636b, #9aa3ab);
  --no: light-dark(#b3261e, #ff8a80); --yes: light-dark(#116329, #7ee2a8); --card: light-dark(#fff, #1d2125); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 15px/1.45 system-ui, sans-serif;
  background: light-dark(#f6f7f8, #15181b); color: light-dark(#1c1f22, #e6e8ea); }
header { display: flex; gap: 1rem; align-items: baseline; border-bottom: 1px solid var(--line); }
header p { flex: 1; color: var(--soft); }
h1 { font-size: 1.3rem; margin: .4rem 0; }
h2 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
pre, table { font: 13px/1.5 ui-monospace, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin-bottom: .7rem; }
article footer { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .7rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
td { max-width: 30rem; overflow-wrap: anywhere; }
.no { color: var(--no); } .yes { color: var(--yes); } .soft { color: var(--soft); }
button { font: inherit; padding: .3rem .8rem; border-radius: 6px; border: 1px solid var(--line); background: var(--card);
  color: inherit; cursor: pointer; }
button:disabled { opacity: .45; cursor: default; }
button.no { border-color: var(--no); } button.yes { border-color: var(--yes); }
`;

// The page itself. It loads nothing, keeps nothing, and shows every text as text.
import { script } from "./script.ts";
import { style } from "./style.ts";

export function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

export function documentText(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>janee</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header>
<h1>janee</h1>
<p id="status" role="status">One moment…</p>
<button id="everything" type="button" hidden>Revoke everything</button>
</header>
<main hidden>
<section aria-labelledby="waiting"><h2 id="waiting">Waiting for you</h2><div id="approvals" aria-live="polite"></div></section>
<section aria-labelledby="live"><h2 id="live">Sessions</h2><div id="sessions"></div></section>
<section aria-labelledby="written"><h2 id="written">Audit trail</h2><div id="trail"></div></section>
</main>
<noscript>This page needs scripts. The commands do the same: janee approvals, janee sessions, janee logs.</noscript>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}

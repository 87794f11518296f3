// nginx as the fast upstream, and as the proxy that janee is compared with.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Box, freePort, listens, until, which } from "./box.ts";
import type { Serving } from "./home.ts";

export const howToGetNginx = "apt-get install nginx-light (or nginx)";

export const body = JSON.stringify({
  object: "list",
  items: Array.from({ length: 12 }, (_, index) => ({
    id: `itm_${index}abcdefghijk`,
    amount: index * 1000,
    currency: "usd",
    status: "okxxxxxxxx",
  })),
});

async function start(
  box: Box,
  name: string,
  core: number,
  server: (port: number, folder: string) => string,
): Promise<Serving> {
  const program = which("nginx");
  if (program === undefined) throw new Error(`nginx is missing: ${howToGetNginx}`);
  // Several parts of one run start the same server.
  const folder = mkdtempSync(join(box.folder, `${name}-`));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = [
    "worker_processes 1;",
    "daemon off;",
    "master_process off;",
    `pid ${folder}/pid;`,
    `error_log ${folder}/error.log crit;`,
    "events { worker_connections 2048; }",
    "http {",
    ...temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
    "keepalive_requests 1000000000; keepalive_timeout 600s; access_log off; map_hash_bucket_size 256;",
    server(port, folder),
    "}",
  ];
  writeFileSync(join(folder, "nginx.conf"), config.join("\n"));
  const started = box.start([program, "-e", `${folder}/error.log`, "-c", join(folder, "nginx.conf")], {
    core,
  });
  await until(`nginx (${name})`, () => listens(port));
  return { ...started, port };
}

/** Answers every request with the same kilobyte of JSON. */
export function nginxUpstream(box: Box, core: number): Promise<Serving> {
  return start(
    box,
    "upstream",
    core,
    (port) =>
      `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${body}'; } }`,
  );
}

/** The same behind TLS. */
export function nginxTlsUpstream(
  box: Box,
  core: number,
  certificate: { readonly key: string; readonly cert: string },
): Promise<Serving> {
  return start(box, "upstream-tls", core, (port, folder) => {
    writeFileSync(join(folder, "key.pem"), certificate.key, { mode: 0o600 });
    writeFileSync(join(folder, "cert.pem"), certificate.cert);
    const tls = `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    return `server { listen 127.0.0.1:${port} ssl; ${tls} location / { default_type application/json; return 200 '${body}'; } }`;
  });
}

/** Checks a token, injects a credential and logs; nothing else. */
export function nginxProxy(
  box: Box,
  core: number,
  upstream: number,
  token: string,
  key: string,
): Promise<Serving> {
  return start(box, "proxy", core, (port, folder) =>
    [
      `map $http_authorization $known { default 0; "Bearer ${token}" 1; }`,
      `upstream service { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000000; }`,
      `server { listen 127.0.0.1:${port};`,
      `access_log ${join(folder, "access.log")} combined buffer=64k flush=1s;`,
      "location / { if ($known = 0) { return 401; }",
      'proxy_http_version 1.1; proxy_set_header Connection "";',
      `proxy_set_header Authorization "Bearer ${key}"; proxy_pass http://service; } }`,
    ].join("\n"),
  );
}

// Loaded first by Node programs behind the proxy (NODE_OPTIONS): releases before 22.21 and 24.5 do not obey the proxy's
// variables by themselves, and newer ones only with the agent that a program did not make itself. Plain CommonJS for old
// releases.
export const nodeProxy = `"use strict";
(() => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (process.versions.bun || process.versions.deno) return;
  const obeys = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
  const text = process.env.HTTPS_PROXY || process.env.https_proxy;
  if (!text || !/^http:/.test(text)) return;
  const proxy = new URL(text);
  const direct = (process.env.NO_PROXY || "").split(",").map((one) => one.trim().toLowerCase()).filter(Boolean);
  const isDirect = (host) => {
    const name = String(host).toLowerCase().replace(/^\\[|\\]$/g, "");
    return direct.some((one) => name === one.replace(/^\\./, "") || name.endsWith(one.startsWith(".") ? one : "." + one));
  };
  const http = require('node:http');
  const https = require('node:https');
  const tls = require('node:tls');
  const basic = (user, password) => "Basic " + Buffer.from(decodeURIComponent(user) + ":" + decodeURIComponent(password)).toString("base64");
  const authorization = basic(proxy.username, proxy.password);
  const openTunnel = (host, port, done) => {
    const at = (host.includes(":") ? "[" + host + "]" : host) + ":" + port;
    const headers = { Host: at, "Proxy-Authorization": authorization };
    const asking = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: at, headers, agent: false });
    asking.once("connect", (response, socket) => {
      if (response.statusCode === 200) return done(null, socket);
      socket.destroy();
      done(new Error("the proxy refused " + at + " with " + response.statusCode));
    });
    asking.once("response", (response) => {
      response.resume();
      done(new Error("the proxy refused " + at + " with " + response.statusCode));
    });
    asking.once("error", done);
    asking.end();
  };
  const create = https.Agent.prototype.createConnection;
  https.Agent.prototype.createConnection = function (options, done) {
    const host = options.hostname || options.host || "localhost";
    const finds = obeys && this.options && this.options.proxyEnv;
    if (finds || isDirect(host)) return create.call(this, options, done);
    openTunnel(String(host).replace(/^\\[|\\]$/g, ""), options.port || 443, (error, socket) => {
      if (error) return done(error);
      done(null, tls.connect({ ...options, socket, host: undefined, path: undefined, servername: options.servername }));
    });
  };
  if (obeys) return;
  const key = Symbol.for("undici.globalDispatcher.1");
  const arm = () => {
    const Agent = globalThis[key] && globalThis[key].constructor;
    if (!Agent) return;
    const connect = (options, done) => {
      const secure = options.protocol === "https:";
      const port = options.port || (secure ? 443 : 80);
      if (!secure || isDirect(options.hostname)) {
        const socket = secure
          ? tls.connect({ host: options.hostname, port, servername: options.servername || options.hostname, ALPNProtocols: ["http/1.1"] })
          : require('node:net').connect({ host: options.hostname, port });
        socket.once(secure ? "secureConnect" : "connect", () => done(null, socket));
        socket.once("error", (error) => done(error, null));
        return;
      }
      openTunnel(options.hostname, port, (error, socket) => {
        if (error) return done(error, null);
        const ip = require('node:net').isIP(options.hostname);
        const name = ip ? {} : { servername: options.servername || options.hostname };
        const secured = tls.connect({ socket, ALPNProtocols: ["http/1.1"], ...name });
        secured.once("secureConnect", () => done(null, secured));
        secured.once("error", (error) => done(error, null));
      });
    };
    globalThis[key] = new Agent({ connect });
  };
  const original = globalThis.fetch;
  let armed = false;
  globalThis.fetch = function fetch(input, init) {
    if (!armed) {
      armed = true;
      // Its first use makes the dispatcher, which is then replaced by one of its own kind.
      return original("data:,").then(() => (arm(), original(input, init)));
    }
    return original(input, init);
  };
})();
`;

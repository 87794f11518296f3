// How some exchanges want their requests signed.
import type { Template } from "./hmac-template.ts";

export const presets: Readonly<Record<string, Template>> = {
  // https://bybit-exchange.github.io/docs/v5/guide#authentication
  bybit: {
    sign: "{timestamp}{key}{recvWindow}{query}{body}",
    algorithm: "sha256",
    encoding: "hex",
    secretEncoding: "text",
    timestamp: "ms",
    recvWindow: "5000",
    headers: [
      ["X-BAPI-API-KEY", "{key}"],
      ["X-BAPI-TIMESTAMP", "{timestamp}"],
      ["X-BAPI-RECV-WINDOW", "{recvWindow}"],
      ["X-BAPI-SIGN", "{signature}"],
    ],
    params: [],
  },
  // https://www.okx.com/docs-v5/en/#overview-rest-authentication
  okx: {
    sign: "{timestamp}{method}{target}{body}",
    algorithm: "sha256",
    encoding: "base64",
    secretEncoding: "text",
    timestamp: "iso",
    recvWindow: undefined,
    headers: [
      ["OK-ACCESS-KEY", "{key}"],
      ["OK-ACCESS-TIMESTAMP", "{timestamp}"],
      ["OK-ACCESS-PASSPHRASE", "{passphrase}"],
      ["OK-ACCESS-SIGN", "{signature}"],
    ],
    params: [],
  },
  // https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
  binance: inQuery("X-MBX-APIKEY"),
  // https://www.mexc.com/api-docs/spot-v3/general-info
  mexc: inQuery("X-MEXC-APIKEY"),
  // https://docs.cdp.coinbase.com/exchange/rest-api/authentication
  coinbase: {
    sign: "{timestamp}{method}{target}{body}",
    algorithm: "sha256",
    encoding: "base64",
    secretEncoding: "base64",
    timestamp: "s",
    recvWindow: undefined,
    headers: [
      ["CB-ACCESS-KEY", "{key}"],
      ["CB-ACCESS-TIMESTAMP", "{timestamp}"],
      ["CB-ACCESS-PASSPHRASE", "{passphrase}"],
      ["CB-ACCESS-SIGN", "{signature}"],
    ],
    params: [],
  },
};

/** The query with a time in it is signed, and the body right behind it. */
function inQuery(keyHeader: string): Template {
  return {
    sign: "{query}{body}",
    algorithm: "sha256",
    encoding: "hex",
    secretEncoding: "text",
    timestamp: "ms",
    recvWindow: "5000",
    headers: [[keyHeader, "{key}"]],
    params: [
      ["recvWindow", "{recvWindow}"],
      ["timestamp", "{timestamp}"],
      ["signature", "{signature}"],
    ],
  };
}

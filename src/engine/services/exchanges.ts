import { type Field, keeping, reading } from "./shape.ts";

export const exchanges: Field = {
  field: "exchanges and markets",
  services: [
    {
      name: "alpaca",
      title: "Alpaca Trading API",
      baseUrl: "https://api.alpaca.markets",
      auth: { header: ["APCA-API-KEY-ID", "APCA-API-SECRET-KEY"] },
      keyPage: "https://app.alpaca.markets/",
      docs: "https://docs.alpaca.markets/reference",
      source:
        "https://github.com/alpacahq/alpaca-py/blob/016cc90a226f7c40d1434957b3911a35aae12e24/alpaca/common/enums.py",
      variables: ["APCA_API_SECRET_KEY", "APCA_API_KEY_ID", "ALPACA_API_KEY", "ALPACA_SECRET_KEY"],
      test: "/v2/account",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET /v2/*", "ask: POST /v2/orders", "deny: *"],
      },
    },
    {
      name: "binance",
      title: "Binance Spot API",
      baseUrl: "https://api.binance.com",
      auth: { scheme: "hmac", flags: { preset: "binance" } },
      keyPage: "https://www.binance.com/en/my/settings/api-management",
      docs: "https://developers.binance.com/docs/binance-spot-api-docs/rest-api",
      source:
        "https://github.com/binance/binance-connector-node/blob/0011051784a3fb3a11c8cdce6f3e53c4cef457d0/src/spot.js",
      key: { shape: "[A-Za-z0-9]{64}", like: ["{64}"] },
      variables: ["BINANCE_API_SECRET", "BINANCE_API_KEY"],
      test: "/api/v3/account",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET /api/v3/*", "ask: POST /api/v3/order", "deny: *"],
      },
    },
    {
      name: "bybit",
      title: "Bybit API v5",
      baseUrl: "https://api.bybit.com",
      auth: { scheme: "hmac", flags: { preset: "bybit" } },
      keyPage: "https://www.bybit.com/app/user/api-management",
      docs: "https://bybit-exchange.github.io/docs/v5/intro",
      source:
        "https://github.com/bybit-exchange/bybit.go.api/blob/5cdfb108ce2bc16ad90f95b2bf81b087d428695f/consts.go",
      variables: ["BYBIT_API_SECRET", "BYBIT_API_KEY"],
      test: "/v5/user/query-api",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET /v5/*", "ask: POST /v5/order/create", "deny: *"],
      },
    },
    {
      name: "coinbase",
      title: "Coinbase Exchange API",
      baseUrl: "https://api.exchange.coinbase.com",
      auth: { scheme: "hmac", flags: { preset: "coinbase" } },
      keyPage: "https://exchange.coinbase.com/apikeys",
      docs: "https://docs.cdp.coinbase.com/exchange/docs/welcome",
      source:
        "https://github.com/coinbase-samples/exchange-sdk-ts/blob/d8b848ab3ff36ba5d4b3a3da26eb8cc239f29786/src/constants.ts",
      variables: ["COINBASE_API_SECRET", "COINBASE_API_KEY"],
      test: "/accounts",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET *", "ask: POST /orders", "deny: *"],
      },
    },
    {
      name: "finnhub",
      title: "Finnhub Stock API",
      baseUrl: "https://finnhub.io",
      auth: { param: "token" },
      keyPage: "https://finnhub.io/dashboard",
      docs: "https://finnhub.io/docs/api",
      source:
        "https://github.com/Finnhub-Stock-API/finnhub-python/blob/010d612676f286c00536889f0433d96fe0332e0c/finnhub/client.py",
      key: { shape: "[a-z0-9]{20,40}", like: ["{20:lower}"] },
      variables: ["FINNHUB_API_KEY"],
      test: "/api/v1/quote?symbol=AAPL",
      policies: {
        "read-only": reading,
        quotes: ["allow: GET /api/v1/quote", "allow: GET /api/v1/search", "deny: *"],
      },
    },
    {
      name: "mexc",
      title: "MEXC Spot API",
      baseUrl: "https://api.mexc.com",
      auth: { scheme: "hmac", flags: { preset: "mexc" } },
      keyPage: "https://www.mexc.com/user/openapi",
      docs: "https://www.mexc.com/api-docs/spot-v3/introduction",
      source: "https://www.mexc.com/api-docs/spot-v3/general-info",
      variables: ["MEXC_SECRET_KEY", "MEXC_API_KEY"],
      test: "/api/v3/account",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET /api/v3/*", "ask: POST /api/v3/order", "deny: *"],
      },
    },
    {
      name: "okx",
      title: "OKX API v5",
      baseUrl: "https://www.okx.com",
      auth: { scheme: "hmac", flags: { preset: "okx" } },
      keyPage: "https://www.okx.com/account/my-api",
      docs: "https://www.okx.com/docs-v5/en/",
      source:
        "https://github.com/okxapi/python-okx/blob/0df40584c2d94c19f9590bcf4497eb3fdac45c30/okx/consts.py",
      variables: ["OKX_SECRET_KEY", "OKX_API_KEY", "OKX_PASSPHRASE"],
      test: "/api/v5/account/config",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        trade: ["allow: GET /api/v5/*", "ask: POST /api/v5/trade/order", "deny: *"],
      },
    },
  ],
};

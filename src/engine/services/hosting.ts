import { type Field, keeping, reading } from "./shape.ts";

export const hosting: Field = {
  field: "hosting and networks",
  services: [
    {
      name: "doppler",
      title: "Doppler API",
      baseUrl: "https://api.doppler.com",
      auth: "bearer",
      keyPage: "https://dashboard.doppler.com/workplace/tokens/personal",
      docs: "https://docs.doppler.com/reference/api",
      source:
        "https://github.com/DopplerHQ/node-sdk/blob/da2070f3e73145e197c980ef5a7535151bd4bb80/src/http/Environment.ts",
      key: { own: "dp\\.(?:pt|st|sa|ct|scim|audit)\\.[\\w.-]{40,}", like: ["dp.pt.{43}", "dp.st.dev.{43}"] },
      variables: ["DOPPLER_TOKEN"],
      test: "/v3/me",
      policies: {
        // What it keeps would come back in the clear.
        "read-only": ["deny: GET /v3/configs/config/secret*", ...reading],
        "no-delete": keeping,
        projects: ["allow: GET /v3/projects", "allow: GET /v3/configs", "deny: *"],
      },
    },
    {
      name: "fastly",
      title: "Fastly API",
      baseUrl: "https://api.fastly.com",
      auth: { header: "Fastly-Key" },
      keyPage: "https://manage.fastly.com/account/personal/tokens",
      docs: "https://www.fastly.com/documentation/reference/api/",
      source: "https://github.com/fastly/cli/blob/0475f88290f9359a7e82147a03da3a56f93568d2/pkg/env/env.go",
      key: { shape: "[\\w-]{32,}", like: ["{32}"] },
      variables: ["FASTLY_API_TOKEN", "FASTLY_API_KEY"],
      test: "/tokens/self",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        purge: ["allow: GET /service", "allow: POST /service/{id}/purge/{key}", "deny: *"],
      },
    },
    {
      name: "fly",
      title: "Fly.io Machines API",
      baseUrl: "https://api.machines.dev",
      auth: "bearer",
      keyPage: "https://fly.io/user/personal_access_tokens",
      docs: "https://fly.io/docs/machines/api/",
      source:
        "https://github.com/superfly/flyctl/blob/050b718c06184c25403f3c71a500d4dec32dc859/internal/config/config.go",
      key: {
        own: "f(?:o1|m1[ar]|m2)_[\\w+/=,-]{40,}",
        shape: "FlyV1 fm[12][ar]?_\\S{40,}",
        like: ["fm2_{200}", "fo1_{43}", "FlyV1 fm2_{200}"],
      },
      variables: ["FLY_API_TOKEN", "FLY_ACCESS_TOKEN"],
      test: "/v1/apps?org_slug=personal",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        machines: [
          "allow: GET *",
          "allow: POST /v1/apps/{app}/machines/{machine}/start",
          "allow: POST /v1/apps/{app}/machines/{machine}/stop",
          "deny: *",
        ],
      },
    },
    {
      name: "heroku",
      title: "Heroku Platform API",
      baseUrl: "https://api.heroku.com",
      auth: "bearer",
      keyPage: "https://dashboard.heroku.com/account/applications",
      docs: "https://devcenter.heroku.com/articles/platform-api-reference",
      source:
        "https://github.com/heroku/heroku-cli-command/blob/01e0127ea71b13051639cc41716455f0cc352184/src/vars.ts",
      key: {
        own: "HRKU-[\\w-]{36,}",
        shape: "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        like: ["HRKU-AA{58}", "{uuid}"],
      },
      variables: ["HEROKU_API_KEY"],
      test: "/account",
      testHeaders: { Accept: "application/vnd.heroku+json; version=3" },
      policies: {
        // The variables of an app hold its secrets.
        "read-only": ["deny: GET /apps/{app}/config-vars", ...reading],
        "no-delete": keeping,
        dynos: [
          "allow: GET /apps",
          "allow: GET /apps/{app}/dynos",
          "allow: POST /apps/{app}/dynos/{dyno}/actions/*",
          "deny: *",
        ],
      },
    },
    {
      name: "netlify",
      title: "Netlify API",
      baseUrl: "https://api.netlify.com",
      auth: "bearer",
      keyPage: "https://app.netlify.com/user/applications",
      docs: "https://docs.netlify.com/api/get-started/",
      source:
        "https://github.com/netlify/open-api/blob/0265f48eda1af39161c1c6f58569da7de262f3e6/go/plumbing/netlify_client.go",
      key: { own: "nfp_[A-Za-z0-9]{20,}", shape: "[\\w-]{40,46}", like: ["nfp_{36}"] },
      variables: ["NETLIFY_AUTH_TOKEN"],
      test: "/api/v1/user",
      policies: {
        // The variables of an account hold its secrets.
        "read-only": ["deny: GET /api/v1/accounts/{account}/env*", ...reading],
        "no-delete": keeping,
        deploys: [
          "allow: GET /api/v1/sites",
          "allow: GET /api/v1/sites/{site}/deploys",
          "allow: POST /api/v1/sites/{site}/builds",
          "deny: *",
        ],
      },
    },
    {
      name: "tailscale",
      title: "Tailscale API",
      baseUrl: "https://api.tailscale.com",
      auth: "bearer",
      keyPage: "https://login.tailscale.com/admin/settings/keys",
      docs: "https://tailscale.com/api",
      source:
        "https://github.com/tailscale/tailscale-client-go-v2/blob/243bf836c8665c25044802112180a30adb016b24/client.go",
      key: { own: "tskey-(?:api|auth|client)-[\\w-]{16,}", like: ["tskey-api-{17}-{32}"] },
      variables: ["TAILSCALE_API_KEY"],
      test: "/api/v2/tailnet/-/devices",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        devices: [
          "allow: GET /api/v2/tailnet/{tailnet}/devices",
          "allow: GET /api/v2/device/{device}",
          "allow: POST /api/v2/device/{device}/authorized",
          "deny: *",
        ],
      },
    },
    {
      name: "terraform",
      title: "HCP Terraform API",
      baseUrl: "https://app.terraform.io",
      auth: "bearer",
      keyPage: "https://app.terraform.io/app/settings/tokens",
      docs: "https://developer.hashicorp.com/terraform/cloud-docs/api-docs",
      source: "https://github.com/hashicorp/go-tfe/blob/006f5b7a74977111c84c6ebd5eb062d725a34018/tfe.go",
      key: { own: "[A-Za-z0-9]{14}\\.atlasv1\\.[\\w=-]{60,70}", like: ["{14}.atlasv1.{67}"] },
      variables: ["TFE_TOKEN"],
      test: "/api/v2/account/details",
      policies: {
        // States hold secrets of what they describe.
        "read-only": [
          "deny: GET /api/v2/state-versions/*",
          "deny: GET /api/v2/workspaces/{workspace}/current-state-version*",
          ...reading,
        ],
        "no-delete": keeping,
        runs: [
          "allow: GET /api/v2/workspaces/{workspace}/runs",
          "allow: GET /api/v2/runs/{run}",
          "allow: POST /api/v2/runs",
          "ask: POST /api/v2/runs/{run}/actions/apply",
          "deny: *",
        ],
      },
    },
    {
      name: "vercel",
      title: "Vercel REST API",
      baseUrl: "https://api.vercel.com",
      auth: "bearer",
      keyPage: "https://vercel.com/account/settings/tokens",
      docs: "https://vercel.com/docs/rest-api",
      source: "https://github.com/vercel/sdk/blob/0052f9a3b3bf85f17538204cdc7ad3b74322e599/src/lib/config.ts",
      key: { shape: "[\\w-]{24,}", like: ["{24}"] },
      variables: ["VERCEL_TOKEN"],
      test: "/v2/user",
      policies: {
        // The variables of a project hold its secrets.
        "read-only": [
          "deny: GET /{version}/projects/{project}/env*",
          "deny: GET /{version}/env*",
          ...reading,
        ],
        "no-delete": keeping,
        deployments: ["allow: GET /{version}/deployments", "allow: GET /{version}/deployments/*", "deny: *"],
      },
    },
  ],
};

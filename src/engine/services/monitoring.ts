import { type Field, keeping, reading } from "./shape.ts";

export const monitoring: Field = {
  field: "monitoring",
  services: [
    {
      name: "datadog",
      title: "Datadog API (US1)",
      baseUrl: "https://api.datadoghq.com",
      auth: { header: ["DD-API-KEY", "DD-APPLICATION-KEY"] },
      keyPage: "https://app.datadoghq.com/organization-settings/api-keys",
      docs: "https://docs.datadoghq.com/api/latest/",
      source:
        "https://github.com/DataDog/datadog-api-client-typescript/blob/07f803b3c4c09212172edc3542aaca94c1eaa87d/packages/datadog-api-client-common/servers.ts",
      variables: ["DD_API_KEY", "DD_APP_KEY", "DATADOG_API_KEY", "DATADOG_APP_KEY"],
      test: "/api/v1/validate",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        monitors: [
          "allow: GET /api/v1/monitor",
          "allow: GET /api/v1/monitor/{id}",
          "allow: POST /api/v1/monitor/{id}/mute",
          "deny: *",
        ],
      },
    },
    {
      name: "grafana",
      title: "Grafana HTTP API",
      baseUrl: "https://your-stack.grafana.net",
      ownHost: true,
      auth: "bearer",
      keyPage: "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
      docs: "https://grafana.com/docs/grafana/latest/developers/http_api/",
      source:
        "https://github.com/grafana/grafana-api-golang-client/blob/002ef5d68d72add1223094d7b7d1a97630233c62/client.go",
      key: { own: "gl(?:sa|c)_[\\w+/=]{32,}", like: ["glsa_{32}_{8:hex}"] },
      variables: ["GRAFANA_SERVICE_ACCOUNT_TOKEN", "GRAFANA_API_KEY", "GRAFANA_AUTH"],
      test: "/api/org",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        dashboards: [
          "allow: GET /api/search",
          "allow: GET /api/dashboards/*",
          "allow: POST /api/dashboards/db",
          "deny: *",
        ],
      },
    },
    {
      name: "honeycomb",
      title: "Honeycomb API",
      baseUrl: "https://api.honeycomb.io",
      auth: { header: "X-Honeycomb-Team" },
      keyPage: "https://ui.honeycomb.io/account",
      docs: "https://api-docs.honeycomb.io/api",
      source:
        "https://github.com/honeycombio/terraform-provider-honeycombio/blob/0082eb876145f26dcf403e2f014f3beee742a1f6/client/client.go",
      variables: ["HONEYCOMB_API_KEY"],
      test: "/1/auth",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        events: ["allow: POST /1/events/{dataset}", "deny: *"],
      },
    },
    {
      name: "launchdarkly",
      title: "LaunchDarkly API",
      baseUrl: "https://app.launchdarkly.com",
      auth: { header: "Authorization" },
      keyPage: "https://app.launchdarkly.com/settings/authorization",
      docs: "https://launchdarkly.com/docs/api",
      source:
        "https://github.com/launchdarkly/terraform-provider-launchdarkly/blob/008314bcd679a3867619ff257d0ce6e4c9b0e46b/launchdarkly/provider.go",
      key: { own: "api-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", like: ["api-{uuid}"] },
      variables: ["LAUNCHDARKLY_ACCESS_TOKEN", "LD_ACCESS_TOKEN"],
      test: "/api/v2/caller-identity",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        flags: ["allow: GET /api/v2/flags/*", "ask: PATCH /api/v2/flags/{project}/{flag}", "deny: *"],
      },
    },
    {
      name: "newrelic",
      title: "New Relic REST API (US)",
      baseUrl: "https://api.newrelic.com",
      auth: { header: "X-Api-Key" },
      keyPage: "https://one.newrelic.com/api-keys",
      docs: "https://docs.newrelic.com/docs/apis/rest-api-v2/get-started/introduction-new-relic-rest-api-v2/",
      source:
        "https://github.com/newrelic/newrelic-client-go/blob/0f28f5c8baa64daaebede2447dc73616e997c550/pkg/region/region_constants.go",
      key: { own: "NRAK-[A-Z0-9]{27}", like: ["NRAK-{27:upper}"] },
      variables: ["NEW_RELIC_API_KEY"],
      test: "/v2/applications.json",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        deployments: [
          "allow: GET /v2/applications.json",
          "allow: POST /v2/applications/{app}/deployments.json",
          "deny: *",
        ],
      },
    },
    {
      name: "sentry",
      title: "Sentry API",
      baseUrl: "https://sentry.io",
      auth: "bearer",
      keyPage: "https://sentry.io/settings/account/api/auth-tokens/",
      docs: "https://docs.sentry.io/api/",
      source:
        "https://github.com/getsentry/sentry-cli/blob/0b269d4a058d9ae36b799c8deb7151dbe112d06e/src/constants.rs",
      key: { own: "sntry[su]_[\\w=+/.-]{16,}", shape: "[0-9a-f]{64}", like: ["sntryu_{64:hex}"] },
      variables: ["SENTRY_AUTH_TOKEN"],
      test: "/api/0/organizations/",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        issues: [
          "allow: GET /api/0/organizations/{org}/issues/*",
          "allow: GET /api/0/projects/*",
          "allow: PUT /api/0/organizations/{org}/issues/{issue}/",
          "deny: *",
        ],
      },
    },
  ],
};

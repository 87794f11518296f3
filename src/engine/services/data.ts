import { type Field, keeping, reading } from "./shape.ts";

export const data: Field = {
  field: "data and maps",
  services: [
    {
      name: "contentful",
      title: "Contentful Management API",
      baseUrl: "https://api.contentful.com",
      auth: "bearer",
      keyPage: "https://app.contentful.com/account/profile/cma_tokens",
      docs: "https://www.contentful.com/developers/docs/references/content-management-api/",
      source:
        "https://github.com/contentful/contentful-management.js/blob/03ec15c0b829d8b205b3829e28a15cec3624c984/lib/adapters/REST/rest-adapter.ts",
      key: { own: "CFPAT-[\\w-]{20,}", like: ["CFPAT-{43}"] },
      variables: ["CONTENTFUL_MANAGEMENT_TOKEN", "CONTENTFUL_MANAGEMENT_ACCESS_TOKEN"],
      test: "/users/me",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        entries: [
          "allow: GET /spaces/*",
          "allow: POST /spaces/{space}/environments/{env}/entries",
          "allow: PUT /spaces/{space}/environments/{env}/entries/{id}",
          "deny: *",
        ],
      },
    },
    {
      name: "databricks",
      title: "Databricks API",
      baseUrl: "https://your-workspace.cloud.databricks.com",
      ownHost: true,
      auth: "bearer",
      keyPage: "https://accounts.cloud.databricks.com/",
      docs: "https://docs.databricks.com/api/workspace/introduction",
      source:
        "https://github.com/databricks/databricks-sdk-go/blob/0a3832ca75a739dcb6cf38e32ab91b212e24cd8c/config/auth_pat.go",
      key: { own: "dapi[0-9a-f]{32}(?:-\\d)?", like: ["dapi{32:hex}"] },
      variables: ["DATABRICKS_TOKEN"],
      test: "/api/2.0/preview/scim/v2/Me",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        jobs: ["allow: GET /api/{version}/jobs/*", "allow: POST /api/{version}/jobs/run-now", "deny: *"],
      },
    },
    {
      name: "google-maps",
      title: "Google Maps Platform",
      vendor: "google",
      baseUrl: "https://maps.googleapis.com",
      auth: { param: "key" },
      keyPage: "https://console.cloud.google.com/google/maps-apis/credentials",
      docs: "https://developers.google.com/maps/documentation",
      source:
        "https://github.com/googlemaps/google-maps-services-go/blob/0a9743dbe57f4790e6b59e38c610471c3889a0e1/timezone.go",
      key: { shape: "AIza[\\w-]{35}", like: ["AIza{35}"] },
      variables: ["GOOGLE_MAPS_API_KEY"],
      test: "/maps/api/geocode/json?address=London",
      policies: {
        "read-only": reading,
        geocode: ["allow: GET /maps/api/geocode/json", "deny: *"],
      },
    },
    {
      name: "ipinfo",
      title: "IPinfo API",
      baseUrl: "https://ipinfo.io",
      auth: "bearer",
      keyPage: "https://ipinfo.io/account/token",
      docs: "https://ipinfo.io/developers",
      source:
        "https://github.com/ipinfo/python/blob/056324b49e75798ca12759044b3c2a365826bce5/ipinfo/handler_utils.py",
      key: { shape: "[0-9a-f]{14}", like: ["{14:hex}"] },
      variables: ["IPINFO_TOKEN"],
      test: "/8.8.8.8/json",
      policies: {
        "read-only": reading,
        lookup: ["allow: GET /{ip}/json", "deny: *"],
      },
    },
    {
      name: "mapbox",
      title: "Mapbox API",
      baseUrl: "https://api.mapbox.com",
      auth: { param: "access_token" },
      keyPage: "https://console.mapbox.com/account/access-tokens/",
      docs: "https://docs.mapbox.com/api/overview/",
      source:
        "https://github.com/mapbox/mapbox-sdk-js/blob/00622ad988b875ae0ad5870076f2a5e5402a843c/lib/constants.js",
      key: { own: "[pst]k\\.eyJ[\\w-]{20,}\\.[\\w-]{20,}", like: ["pk.eyJ{57}.{22}", "sk.eyJ{57}.{22}"] },
      variables: ["MAPBOX_ACCESS_TOKEN"],
      test: "/tokens/v2",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        geocode: ["allow: GET /search/geocode/*", "allow: GET /geocoding/*", "deny: *"],
      },
    },
    {
      name: "mongodb-atlas",
      title: "MongoDB Atlas Admin API",
      baseUrl: "https://cloud.mongodb.com",
      auth: { scheme: "digest" },
      keyPage: "https://cloud.mongodb.com/v2#/org",
      docs: "https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/",
      source:
        "https://github.com/mongodb/go-client-mongodb-atlas/blob/00268b3849ee1ed3663936b68e89bb6abb529605/mongodbatlas/mongodbatlas.go",
      variables: [
        "MONGODB_ATLAS_PRIVATE_KEY",
        "MONGODB_ATLAS_PUBLIC_KEY",
        "MONGODB_ATLAS_PRIVATE_API_KEY",
        "MONGODB_ATLAS_PUBLIC_API_KEY",
      ],
      test: "/api/atlas/v2/groups",
      testHeaders: { Accept: "application/vnd.atlas.2023-01-01+json" },
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        clusters: [
          "allow: GET /api/atlas/v2/groups",
          "allow: GET /api/atlas/v2/groups/{group}/clusters",
          "deny: *",
        ],
      },
    },
    {
      name: "neon",
      title: "Neon API",
      baseUrl: "https://console.neon.tech",
      auth: "bearer",
      keyPage: "https://console.neon.tech/app/settings/api-keys",
      docs: "https://neon.com/docs/reference/api/get-started",
      source:
        "https://github.com/neondatabase/neonctl/blob/0100a75b74fdb428b982592ac4ea2d0a60c5df52/src/index.ts",
      key: { own: "napi_[A-Za-z0-9]{20,}", shape: "[a-z0-9]{64}", like: ["napi_{64:lower}"] },
      variables: ["NEON_API_KEY"],
      test: "/api/v2/projects",
      policies: {
        // Both answer with passwords.
        "read-only": ["deny: GET /*/reveal_password", "deny: GET /*/connection_uri", ...reading],
        "no-delete": keeping,
        branches: [
          "allow: GET /api/v2/projects",
          "allow: GET /api/v2/projects/{project}/branches",
          "allow: POST /api/v2/projects/{project}/branches",
          "deny: *",
        ],
      },
    },
    {
      name: "pinecone",
      title: "Pinecone API",
      baseUrl: "https://api.pinecone.io",
      auth: { header: "Api-Key" },
      keyPage: "https://app.pinecone.io/organizations/-/keys",
      docs: "https://docs.pinecone.io/reference/api/introduction",
      source:
        "https://github.com/pinecone-io/pinecone-python-client/blob/0ccef1462d80e007e1000271d06cd33a6c2b893e/pinecone/config/pinecone_config.py",
      key: {
        own: "pcsk_\\w{20,}",
        shape: "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        like: ["pcsk_{6}_{63}", "{uuid}"],
      },
      variables: ["PINECONE_API_KEY"],
      test: "/indexes",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        indexes: ["allow: GET /indexes", "allow: GET /indexes/{index}", "deny: *"],
      },
    },
    {
      name: "planetscale",
      title: "PlanetScale API",
      baseUrl: "https://api.planetscale.com",
      auth: { header: "Authorization" },
      keyPage: "https://app.planetscale.com/",
      docs: "https://planetscale.com/docs/api/reference/service-tokens",
      source:
        "https://github.com/planetscale/planetscale-go/blob/02e5ee64b37c024a6390cc4d78e8b933f376dd18/planetscale/client.go",
      key: {
        own: "pscale_tkn_[\\w=.-]{32,64}",
        shape: "[a-z0-9]{12}:pscale_tkn_[\\w=.-]{32,64}",
        like: ["{12:lower}:pscale_tkn_{43}"],
      },
      variables: ["PLANETSCALE_SERVICE_TOKEN", "PLANETSCALE_SERVICE_TOKEN_ID"],
      test: "/v1/organizations",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        branches: [
          "allow: GET /v1/organizations/{org}/databases/{db}/branches",
          "allow: POST /v1/organizations/{org}/databases/{db}/branches",
          "deny: *",
        ],
      },
    },
    {
      name: "supabase",
      title: "Supabase Management API",
      baseUrl: "https://api.supabase.com",
      auth: "bearer",
      keyPage: "https://supabase.com/dashboard/account/tokens",
      docs: "https://supabase.com/docs/reference/api/introduction",
      source:
        "https://github.com/supabase/cli/blob/05d91ef7d1cb0861b8c9c79b464de8dad8d4f4b7/internal/utils/profile.go",
      key: { own: "sbp_(?:oauth_)?[0-9a-f]{40}", like: ["sbp_{40:hex}"] },
      variables: ["SUPABASE_ACCESS_TOKEN"],
      test: "/v1/projects",
      policies: {
        // Both answer with keys.
        "read-only": [
          "deny: GET /v1/projects/{project}/api-keys*",
          "deny: GET /v1/projects/{project}/secrets*",
          ...reading,
        ],
        // It runs any SQL.
        "no-delete": ["deny: POST /v1/projects/{project}/database/query", ...keeping],
        functions: [
          "allow: GET /v1/projects/{project}/functions",
          "allow: POST /v1/projects/{project}/functions/deploy",
          "deny: *",
        ],
      },
    },
  ],
};

import { type Field, keeping, reading } from "./shape.ts";

export const social: Field = {
  field: "social networks and media",
  services: [
    {
      name: "linkedin",
      title: "LinkedIn API",
      baseUrl: "https://api.linkedin.com",
      auth: { scheme: "oauth2" },
      keyPage: "https://www.linkedin.com/developers/apps",
      docs: "https://learn.microsoft.com/en-us/linkedin/",
      source:
        "https://github.com/linkedin-developers/linkedin-api-js-client/blob/22e9d137dbe750cc29836337aade05aa8b18a1bc/lib/utils/constants.ts",
      variables: ["LINKEDIN_ACCESS_TOKEN", "LINKEDIN_CLIENT_SECRET"],
      test: "/v2/userinfo",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        posts: ["allow: GET /v2/userinfo", "ask: POST /rest/posts", "deny: *"],
      },
    },
    {
      name: "mastodon",
      title: "Mastodon API",
      baseUrl: "https://mastodon.social",
      ownHost: true,
      auth: "bearer",
      keyPage: "https://mastodon.social/settings/applications",
      docs: "https://docs.joinmastodon.org/api/",
      source:
        "https://github.com/mastodon/documentation/blob/18a834265a34f2f8ee1048b13ec24042a84fc583/content/en/client/token.md",
      key: { shape: "[\\w-]{43}", like: ["{43}"] },
      variables: ["MASTODON_ACCESS_TOKEN"],
      test: "/api/v1/accounts/verify_credentials",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        post: ["allow: GET /api/v1/timelines/*", "allow: POST /api/v1/statuses", "deny: *"],
      },
    },
    {
      name: "spotify",
      title: "Spotify Web API",
      baseUrl: "https://api.spotify.com",
      auth: { scheme: "oauth2", flags: { "token-url": "https://accounts.spotify.com/api/token" } },
      keyPage: "https://developer.spotify.com/dashboard",
      docs: "https://developer.spotify.com/documentation/web-api",
      source:
        "https://github.com/spotify/spotify-web-api-ts-sdk/blob/0476c7f8542bd0e0a8a7de89c2f381ae318908c3/src/SpotifyApi.ts",
      variables: ["SPOTIFY_CLIENT_SECRET", "SPOTIFY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"],
      test: "/v1/markets",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        playlists: [
          "allow: GET /v1/search",
          "allow: GET /v1/playlists/*",
          "allow: POST /v1/playlists/{playlist}/tracks",
          "deny: *",
        ],
      },
    },
    {
      name: "twitch",
      title: "Twitch API",
      baseUrl: "https://api.twitch.tv",
      auth: { scheme: "oauth2", flags: { "token-url": "https://id.twitch.tv/oauth2/token" } },
      keyPage: "https://dev.twitch.tv/console/apps",
      docs: "https://dev.twitch.tv/docs/api/",
      source:
        "https://github.com/twitchdev/twitch-cli/blob/19d2abd5a5d59f4bb547bd878539a734457e8d6b/internal/api/api.go",
      variables: ["TWITCH_CLIENT_SECRET", "TWITCH_CLIENT_ID", "TWITCH_ACCESS_TOKEN"],
      test: "/helix/users",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        streams: ["allow: GET /helix/streams", "allow: GET /helix/channels", "deny: *"],
      },
    },
    {
      name: "twitter",
      title: "X (Twitter) API",
      baseUrl: "https://api.x.com",
      auth: "bearer",
      keyPage: "https://developer.x.com/en/portal/dashboard",
      docs: "https://docs.x.com/x-api/introduction",
      source: "https://docs.x.com/x-api/getting-started/make-your-first-request",
      key: { shape: "A{20}[\\w%]{60,}", like: ["AAAAAAAAAAAAAAAAAAAAAA{80}"] },
      variables: ["TWITTER_BEARER_TOKEN", "X_BEARER_TOKEN"],
      test: "/2/users/by/username/x",
      policies: {
        "read-only": reading,
        "no-delete": keeping,
        search: ["allow: GET /2/tweets/search/recent", "allow: GET /2/users/by/username/{name}", "deny: *"],
      },
    },
  ],
};

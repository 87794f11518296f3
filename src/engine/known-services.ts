// Services that janee knows: `janee add <name>` fills in the rest. Plain facts, each from the vendor's page.

export interface KnownService {
  readonly title: string;
  readonly baseUrl: string;
  readonly auth: "bearer" | "basic" | { readonly header: string } | { readonly param: string };
  /** Where a person makes a key. */
  readonly keyPage: string;
  /** A harmless request, for `janee test`. */
  readonly test: string;
  /** The variable that the vendor's own tools read. */
  readonly variable: string;
}

export const knownServices: Readonly<Record<string, KnownService>> = {
  anthropic: {
    title: "Anthropic API",
    baseUrl: "https://api.anthropic.com",
    auth: { header: "x-api-key" },
    keyPage: "https://console.anthropic.com/settings/keys",
    test: "/v1/models",
    variable: "ANTHROPIC_API_KEY",
  },
  cloudflare: {
    title: "Cloudflare API",
    baseUrl: "https://api.cloudflare.com",
    auth: "bearer",
    keyPage: "https://dash.cloudflare.com/profile/api-tokens",
    test: "/client/v4/user/tokens/verify",
    variable: "CLOUDFLARE_API_TOKEN",
  },
  github: {
    title: "GitHub REST API",
    baseUrl: "https://api.github.com",
    auth: "bearer",
    keyPage: "https://github.com/settings/tokens",
    test: "/user",
    variable: "GITHUB_TOKEN",
  },
  gitlab: {
    title: "GitLab API",
    baseUrl: "https://gitlab.com",
    auth: { header: "PRIVATE-TOKEN" },
    keyPage: "https://gitlab.com/-/user_settings/personal_access_tokens",
    test: "/api/v4/user",
    variable: "GITLAB_TOKEN",
  },
  linear: {
    title: "Linear GraphQL API",
    baseUrl: "https://api.linear.app",
    auth: { header: "Authorization" },
    keyPage: "https://linear.app/settings/account/security",
    test: "/graphql",
    variable: "LINEAR_API_KEY",
  },
  mistral: {
    title: "Mistral API",
    baseUrl: "https://api.mistral.ai",
    auth: "bearer",
    keyPage: "https://console.mistral.ai/api-keys",
    test: "/v1/models",
    variable: "MISTRAL_API_KEY",
  },
  notion: {
    title: "Notion API",
    baseUrl: "https://api.notion.com",
    auth: "bearer",
    keyPage: "https://www.notion.so/my-integrations",
    test: "/v1/users/me",
    variable: "NOTION_TOKEN",
  },
  openai: {
    title: "OpenAI API",
    baseUrl: "https://api.openai.com",
    auth: "bearer",
    keyPage: "https://platform.openai.com/api-keys",
    test: "/v1/models",
    variable: "OPENAI_API_KEY",
  },
  openrouter: {
    title: "OpenRouter API",
    baseUrl: "https://openrouter.ai",
    auth: "bearer",
    keyPage: "https://openrouter.ai/settings/keys",
    test: "/api/v1/key",
    variable: "OPENROUTER_API_KEY",
  },
  sendgrid: {
    title: "SendGrid Web API",
    baseUrl: "https://api.sendgrid.com",
    auth: "bearer",
    keyPage: "https://app.sendgrid.com/settings/api_keys",
    test: "/v3/scopes",
    variable: "SENDGRID_API_KEY",
  },
  sentry: {
    title: "Sentry API",
    baseUrl: "https://sentry.io",
    auth: "bearer",
    keyPage: "https://sentry.io/settings/account/api/auth-tokens/",
    test: "/api/0/organizations/",
    variable: "SENTRY_AUTH_TOKEN",
  },
  slack: {
    title: "Slack Web API",
    baseUrl: "https://slack.com",
    auth: "bearer",
    keyPage: "https://api.slack.com/apps",
    test: "/api/auth.test",
    variable: "SLACK_BOT_TOKEN",
  },
  stripe: {
    title: "Stripe API",
    baseUrl: "https://api.stripe.com",
    auth: "bearer",
    keyPage: "https://dashboard.stripe.com/apikeys",
    test: "/v1/balance",
    variable: "STRIPE_SECRET_KEY",
  },
};

export function knownService(name: string): KnownService | undefined {
  return Object.hasOwn(knownServices, name) ? knownServices[name] : undefined;
}

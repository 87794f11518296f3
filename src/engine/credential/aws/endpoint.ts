// Region and service, as the address of an endpoint tells them.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
import type { BaseUrl } from "../../config.ts";
import type { Auth } from "../scheme.ts";
import type { Scope } from "./canonical.ts";

type Guess = Partial<Scope>;

/** What the config says goes before what the host tells. */
export function scopeOf(open: Auth["open"], base: BaseUrl): Guess {
  const guess = guessed(base.host);
  const region = open.get("region") ?? guess.region;
  const service = open.get("service") ?? guess.service;
  return { ...(region ? { region } : {}), ...(service ? { service } : {}) };
}

/** By their names in an address, where they sign under another. */
const signingNames: Readonly<Record<string, string>> = {
  "appsync-api": "appsync",
  "bedrock-agent": "bedrock",
  "bedrock-agent-runtime": "bedrock",
  "bedrock-runtime": "bedrock",
  appstream2: "appstream",
  cloudhsmv2: "cloudhsm",
  email: "ses",
  "git-codecommit": "codecommit",
  "lambda-url": "lambda",
  marketplace: "aws-marketplace",
  mobile: "AWSMobileHubService",
  pinpoint: "mobiletargeting",
  queue: "sqs",
  "s3-accesspoint": "s3",
  "s3-control": "s3",
  "s3-fips": "s3",
};

/** Services of the whole world, that sign for one region. */
const worldwide: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...[
        "account",
        "budgets",
        "ce",
        "chime",
        "cloudfront",
        "health",
        "iam",
        "importexport",
        "organizations",
      ],
      ...["route53", "route53domains", "s3", "savingsplans", "shield", "sts", "support", "waf"],
    ].map((service) => [service, "us-east-1"]),
  ),
  globalaccelerator: "us-west-2",
  networkmanager: "us-west-2",
};

const regionName = /^[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}$/;

function guessed(host: string): Guess {
  if (host.endsWith(".r2.cloudflarestorage.com")) return { service: "s3", region: "auto" };
  const store = /^(?:.+\.)?s3\.([a-z0-9-]+)\.(?:backblazeb2|wasabisys)\.com$/.exec(host);
  if (store?.[1]) return { service: "s3", region: store[1] };
  const [, inside] =
    /^(.+)\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|api\.aws|on\.aws)$/.exec(host) ?? [];
  if (inside === undefined) return {};
  const labels = inside.split(".").filter((label) => label !== "dualstack" && label !== "vpce");
  const at = labels.findLastIndex((label) => regionName.test(label));
  const legacy = /^s3-(?:fips-)?(.+)$/.exec(labels.at(-1) ?? "")?.[1];
  if (at < 0 && legacy !== undefined) {
    if (regionName.test(legacy)) return { service: "s3", region: legacy };
    if (legacy === "accelerate" || legacy === "external-1") return { service: "s3", region: "us-east-1" };
  }
  // Some put the region before the service: name.eu-west-1.es.amazonaws.com
  const isBefore = at >= 0 && at === labels.length - 2;
  const label = isBefore ? labels.at(-1) : at < 0 ? labels.at(-1) : labels[at - 1];
  if (label === undefined) return {};
  const service = serviceNamed(label);
  const region = at >= 0 ? labels[at] : worldwide[service];
  return { service, ...(region ? { region } : {}) };
}

function serviceNamed(label: string): string {
  const plain = label.replace(/-fips$/, "");
  return signingNames[plain] ?? plain;
}

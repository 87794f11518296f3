// Run behind `janee run`: the vendors' SDKs as they are, with nothing said to them but what is in the environment.
import Anthropic from "@anthropic-ai/sdk";
import { Octokit } from "@octokit/rest";
import OpenAI from "openai";
import Stripe from "stripe";

const ask = { model: "m", messages: [{ role: "user", content: "hi" }] };
const calls = {
  async openai() {
    const client = new OpenAI({ maxRetries: 0 });
    const whole = await client.chat.completions.create(ask);
    let streamed = "";
    for await (const piece of await client.chat.completions.create({ ...ask, stream: true })) {
      streamed += piece.choices[0]?.delta.content ?? "";
    }
    return [whole.choices[0]?.message.content, streamed];
  },
  async anthropic() {
    const client = new Anthropic({ maxRetries: 0 });
    const whole = await client.messages.create({ ...ask, max_tokens: 8 });
    let streamed = "";
    for await (const piece of await client.messages.create({ ...ask, max_tokens: 8, stream: true })) {
      if (piece.type === "content_block_delta" && piece.delta.type === "text_delta")
        streamed += piece.delta.text;
    }
    return [whole.content[0]?.type === "text" ? whole.content[0].text : "", streamed];
  },
  async stripe() {
    const client = new Stripe(process.env.STRIPE_API_KEY ?? "", { maxNetworkRetries: 0 });
    const balance = await client.balance.retrieve();
    return [balance.available[0]?.amount === 4200 ? "hello" : "", "hello"];
  },
  async octokit() {
    const client = new Octokit({ auth: process.env.GITHUB_TOKEN });
    const { data: made } = await client.rest.issues.create({ owner: "o", repo: "repo", title: "a" });
    const titles = [];
    const pages = client.paginate.iterator(client.rest.issues.listForRepo, {
      ...{ owner: "o", repo: "repo", per_page: 1 },
    });
    for await (const { data } of pages) titles.push(...data.map(({ title }) => title));
    const graph = await client.graphql('{ repository(owner: "o", name: "repo") { hasIssuesEnabled } }');
    return [made.title, titles.length === 2 && graph.repository.hasIssuesEnabled ? titles[1] : ""];
  },
};

const said = await calls[process.argv[2]]();
console.log(said.join(" "));

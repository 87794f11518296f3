// Fifty processes change one config at once: two hundred operations each, none may be lost.
import { join } from "node:path";
import { JaneeHome } from "../../bench/home.ts";
import { must, openHome } from "./home-of.ts";
import { type Part, scaled } from "./part.ts";

const writers = 50;
const operations = 200;
/** A config is at most 1 MiB, so most operations count up by one, which loses as visibly as an addition. */
const additions = 2;
const counter = "counter";

export const writerParts: Part = async (box, table, scale) => {
  const home = new JaneeHome(join(box.folder, "writers"));
  home.run(["init"]);
  home.run(["add", counter, "--base-url", "https://n0.example.com", "--key", "sk_counter_0123456789abcdef"]);
  const each = scaled(operations, scale);
  const startedAt = performance.now();
  const children = Array.from({ length: writers }, (_, index) =>
    box.start([process.execPath, import.meta.path, String(index), String(each)], { env: home.environment }),
  );
  const progress = setInterval(
    () => void countOf(home).then((count) => process.stderr.write(`\r  ${count} counted`)),
    5_000,
  );
  const statuses = await Promise.all(children.map(({ ended }) => ended));
  clearInterval(progress);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const failed = children.filter((_, index) => statuses[index] !== 0);
  for (const child of failed.slice(0, 3)) process.stderr.write(`${child.output().slice(-600)}\n`);

  const { capabilities } = (await openHome(home.environment)).current().config;
  const added = Math.min(additions, each);
  const expectedCount = writers * (each - added);
  const expectedNames = writers * added;
  const names = [...capabilities.keys()].filter((name) => /^w\d+-\d+$/.test(name)).length;
  const count = await countOf(home);
  const whole = failed.length === 0 && count === expectedCount && names === expectedNames;
  const figure = `${names} of ${expectedNames} additions, ${count} of ${expectedCount} counted, ${failed.length} writers failed, ${seconds} s`;
  table.judge(`${writers} writers × ${each} operations`, figure, "nothing lost", whole);
};

async function countOf(home: JaneeHome): Promise<number> {
  const { config } = (await openHome(home.environment)).current();
  return Number(config.capabilities.get(counter)?.description ?? 0);
}

async function write(index: number, each: number): Promise<void> {
  const home = await openHome(process.env);
  const stride = Math.max(1, Math.floor(each / additions));
  for (let operation = 0, added = 0; operation < each; operation++) {
    const adds = added < additions && (operation % stride === 0 || each - operation <= additions - added);
    const name = `w${index}-${added}`;
    const refused = await home.update((read) => {
      if (adds) return [{ path: ["capabilities", name, "service"], value: counter }];
      const count = Number(read.config.capabilities.get(counter)?.description ?? 0);
      return [{ path: ["capabilities", counter, "description"], value: String(count + 1) }];
    });
    must(refused ?? true);
    if (adds) added += 1;
  }
}

if (import.meta.main) {
  const [index = "0", each = "0"] = process.argv.slice(2);
  await write(Number(index), Number(each));
  process.exit(0);
}

// Run behind `janee run`: fetch and node:https as any program uses them.
import { get } from "node:https";

const url = process.argv[2];
const fetched = await (await fetch(url)).json();
const got = await new Promise((done, failed) => {
  get(url, (response) => {
    let text = "";
    response.on("data", (bytes) => {
      text += bytes;
    });
    response.on("end", () => done(JSON.parse(text)));
  }).on("error", failed);
});
console.log(fetched.said, got.said);

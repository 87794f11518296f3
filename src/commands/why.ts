import { admit } from "../engine/admit.ts";
import { Failure } from "../engine/failure.ts";
import { targetText } from "../engine/target.ts";
import { Home } from "../host/home.ts";
import type { Command } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { unknownCapability } from "./unknown-capability.ts";

export const command: Command = {
  usage: "<capability> METHOD PATH",
  flags: {},
  positionals: { least: 3, most: 3 },
  notes: ["Exit status: 0 allowed, 4 denied or asks a person."],
  async run(args, talk) {
    const home = await Home.open(talk.environment, false);
    if (home instanceof Failure) return home;
    const [capability = "", method = "", target = ""] = args.positionals;
    const { config } = home.current();
    if (!config.capabilities.has(capability))
      return unknownCapability(capability, [...config.capabilities.keys()]);
    const wish = { capability, method: method.toUpperCase(), target, fields: [] };
    const verdict = admit(config, "rules-only", wish, Date.now());
    if (verdict instanceof Failure) {
      const { code, message, rule, next } = verdict;
      if (talk.json) talk.printJson({ decision: "deny", code, message, rule, next });
      else talk.print(`denied: ${message}${rule === undefined ? "" : `\nrule:   ${rule}`}`);
      return exitCode(code);
    }
    const { decision } = verdict;
    const rule = decision.rule?.text;
    const asks = decision.effect === "ask";
    const shown = targetText(verdict.target);
    if (talk.json) talk.printJson({ decision: decision.effect, rule, method: verdict.method, target: shown });
    else {
      const because = rule === undefined ? "no rules: the capability is unrestricted" : `rule:   ${rule}`;
      talk.print(`${asks ? "asks a person" : "allowed"}: ${verdict.method} ${shown}\n${because}`);
    }
    return asks ? exitCode("approval_pending") : 0;
  },
};

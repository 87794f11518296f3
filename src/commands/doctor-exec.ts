import type { Config } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { Environment } from "../host/keyring.ts";
import { guarantees, makeSpawner } from "../host/spawner.ts";
import type { Found } from "./doctor-checks.ts";
import { programsOf } from "./programs.ts";

const check = "exec";

/** Whether the commands of exec mode are where they can be trusted. */
export function checkPrograms(home: string, environment: Environment, config: Config): Found[] {
  const spawner = makeSpawner({ home, environment });
  return [...config.capabilities.values()].flatMap((capability) =>
    programsOf(capability, spawner).map(({ command, program }): Found => {
      const about = `${capability.name}: ${command}`;
      if (!(program instanceof Failure)) return { level: "ok", check, message: `${about} is ${program}` };
      if (program.code === "command_denied") {
        const remedy = "install it, or take it out of allowCommands; janee looks along its own PATH";
        return { level: "warn", check, message: `${about} is not found`, remedy };
      }
      const { message, next } = program;
      return {
        level: "warn",
        check,
        message: `${about}: ${message}`,
        ...(next === undefined ? {} : { remedy: next }),
      };
    }),
  );
}

/** What holds for commands on this system; nothing where there are none. */
export async function execGuarantee(config: Config | undefined): Promise<readonly string[]> {
  const runs = [...(config?.capabilities.values() ?? [])].some(({ mode }) => mode === "exec");
  return runs ? guarantees() : [];
}

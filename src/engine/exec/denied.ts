import { Failure } from "../failure.ts";

/** The same words whether a command is not listed or not there: nobody learns what is installed. */
export function commandDenied(): Failure {
  return new Failure("command_denied", "this command is not one that the capability allows", {
    next: "list_capabilities shows which commands it may run",
  });
}

// One refusal for a command that is not listed, that is not there, and that only looks like one of the list:
// whoever asks learns nothing about what is installed.
import { Failure } from "../failure.ts";

export function commandDenied(): Failure {
  return new Failure("command_denied", "this command is not one that the capability allows", {
    next: "list_capabilities shows which commands it may run",
  });
}

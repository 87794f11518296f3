import { Failure } from "../failure.ts";

/**
 * The one refusal of a command that is not allowed and of one that is not there: an agent that could tell them
 * apart could ask what is installed on this machine.
 */
export function commandDenied(): Failure {
  return new Failure("command_denied", "this command is not allowed here", {
    next: "use a command that the capability lists, by its bare name; a person can see with `janee doctor` where each is found",
  });
}

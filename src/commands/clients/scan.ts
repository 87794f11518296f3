// The files of all clients as they are: the user's own, and those of the project in the current directory. Only read.
import { projectFiles, type Surroundings, userFiles } from "../../engine/client-place.ts";
import { type ClientServer, serversOf } from "../../engine/client-server.ts";
import { type Client, clients } from "../../engine/clients.ts";
import { Failure } from "../../engine/failure.ts";
import { serversPath } from "../../engine/stanza.ts";
import { readClientFile } from "../../host/client-file.ts";
import { parseClientFile } from "./parse.ts";

export interface Scanned {
  readonly name: string;
  readonly client: Client;
  readonly file: string;
  readonly project: boolean;
  /** undefined: there is no such file. */
  readonly servers: readonly ClientServer[] | Failure | undefined;
}

export function scanClients(where: Surroundings, folder: string): Scanned[] {
  const seen = new Set<string>();
  return Object.entries(clients).flatMap(([name, client]) => {
    const own = userFiles(client, where).map((file) => ({ file, project: false }));
    const shared = projectFiles(client, folder, where.system).map((file) => ({ file, project: true }));
    return [...own, ...shared].flatMap(({ file, project }) => {
      // In the home folder a client's project file can be the user's own.
      if (seen.has(file)) return [];
      seen.add(file);
      return [{ name, client, file, project, servers: readServers(client, file) }];
    });
  });
}

function readServers(client: Client, file: string): Scanned["servers"] {
  const read = readClientFile(file);
  if (read === undefined || read instanceof Failure) return read;
  const root = parseClientFile(client.format, read.text.replace(/^\uFEFF/, ""), file);
  return root instanceof Failure ? root : serversOf(root, serversPath(client, root));
}

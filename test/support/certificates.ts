// Certificates for upstreams on loopback, made on the spot with openssl.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The certificate's own file: it is its own authority. */
  readonly file: string;
}

/** A self-made certificate for these names and addresses (`DNS:localhost`, `IP:127.0.0.1`). */
export function makeCertificate(folder: string, name: string, alternatives: readonly string[]): Certificate {
  const keyFile = join(folder, `${name}-key.pem`);
  const file = join(folder, `${name}.pem`);
  const config = join(folder, `${name}.cnf`);
  const lines = ["[req]", "distinguished_name=dn", "x509_extensions=ext", "prompt=no", "[dn]", `CN=${name}`];
  lines.push("[ext]", `subjectAltName=${alternatives.join(",")}`, "basicConstraints=critical,CA:TRUE");
  writeFileSync(config, `${lines.join("\n")}\n`);
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  args.push("-days", "2", "-config", config, "-keyout", keyFile, "-out", file);
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(file, "utf8"), file };
}

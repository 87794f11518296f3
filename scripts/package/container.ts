// The container file. It is built in the folder of the release's files: docker build -f Containerfile dist/release
import { type Archives, type Artefact, text } from "./made.ts";
import { project, summary } from "./project.ts";
import { anyProcessor } from "./targets.ts";

/** glibc, libgcc, certificates and a user without rights; no shell, no package manager. */
const base =
  "gcr.io/distroless/cc-debian13:nonroot@sha256:e792ab3d241a468a4fd7519ddbbebe66b49b5f365771716ea688ad40b6c6f1c2";

export function container(archives: Archives, commit: string): Artefact {
  // Not every builder has xz, and nobody downloads these.
  const stages = { amd64: "x64", arm64: "arm64" } as const;
  const lines = Object.entries(stages).flatMap(([stage, arch]) => {
    const { name, folder } = archives.of(anyProcessor("linux", arch), ".tar.gz");
    return [
      `FROM scratch AS files-${stage}`,
      `ADD ${name} /`,
      `FROM scratch AS janee-${stage}`,
      `COPY --from=files-${stage} /${folder}/ /`,
      "",
    ];
  });
  return text(
    "Containerfile",
    `# Made by scripts/package/container.ts, to be built in the folder of the release's files.
ARG TARGETARCH

${lines.join("\n")}
FROM janee-\${TARGETARCH} AS chosen

FROM ${base}
LABEL org.opencontainers.image.title="${project.name}" \\
      org.opencontainers.image.description="${summary}" \\
      org.opencontainers.image.version="${project.version}" \\
      org.opencontainers.image.revision="${commit}" \\
      org.opencontainers.image.licenses="${project.license}" \\
      org.opencontainers.image.source="${project.home}"
COPY --from=chosen --chown=0:0 --chmod=0555 /janee /usr/bin/janee
COPY --from=chosen --chown=0:0 --chmod=0444 /LICENSE /THIRD-PARTY-LICENSES.txt /usr/share/doc/janee/
USER 65532:65532
WORKDIR /home/nonroot
ENV JANEE_HOME=/home/nonroot/.janee XDG_STATE_HOME=/home/nonroot/.local/state
VOLUME ["/home/nonroot"]
ENTRYPOINT ["/usr/bin/janee"]
CMD ["mcp"]
`,
  );
}

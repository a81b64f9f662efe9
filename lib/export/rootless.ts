import type { RuntimeConfig } from "../formats/bundle.ts";

/**
 * Changes a runtime bundle's configuration so that a user without root's rights
 * can run it: in a user namespace in which that user is root and nobody else
 * exists, and with the host's /sys, since only root may mount one.
 *
 * @param ids Numbers of the user on the host.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.0.0/config-linux.md#user-namespace-mappings}
 */
export function rootless(
  config: RuntimeConfig,
  { uid, gid }: { uid: number; gid: number },
): object {
  const mounts = config.mounts.filter(({ type }) => type !== "cgroup")
    .map((mount) => {
      // A group that does not exist cannot own a terminal.
      const options = mount.options.filter((option) =>
        !option.startsWith("gid=")
      );
      if (mount.type !== "sysfs") return { ...mount, options };
      return {
        ...mount,
        type: "none",
        source: "/sys",
        options: ["rbind", ...options],
      };
    });
  return {
    ...config,
    process: { ...config.process, user: { uid: 0, gid: 0 } },
    mounts,
    linux: {
      ...config.linux,
      namespaces: [...config.linux.namespaces, { type: "user" }],
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
    },
  };
}

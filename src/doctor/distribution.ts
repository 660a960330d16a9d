import { readFileSync } from "node:fs";

/** The distribution of this box and its command for installing packages: os-release(5). */

export type Distribution = { title: string; install: string; engine: string };

const families = [
  { ids: ["debian", "ubuntu"], install: "apt-get install", engine: "docker.io" },
  { ids: ["fedora", "rhel", "centos"], install: "dnf install", engine: "podman" },
  { ids: ["alpine"], install: "apk add", engine: "docker" },
  { ids: ["arch"], install: "pacman -S", engine: "docker" },
  { ids: ["suse"], install: "zypper install", engine: "docker" },
];

export function distribution(text = read()): Distribution {
  const fields = new Map(
    text
      .split("\n")
      .map((line): [string, string] => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1).replaceAll(/^["']|["']$/g, "")]),
  );
  const names = `${fields.get("ID") ?? ""} ${fields.get("ID_LIKE") ?? ""}`.split(/[ -]/); // ID=opensuse-leap
  const family = names.flatMap((name) => families.filter(({ ids }) => ids.includes(name.replace("opensuse", "suse"))))[0];
  return { title: fields.get("PRETTY_NAME") ?? "Linux", install: family?.install ?? "install", engine: family?.engine ?? "docker" };
}

function read(): string {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    return ""; // small containers have no such file
  }
}

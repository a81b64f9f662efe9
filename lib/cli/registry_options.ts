import { group, type Option } from "./options.ts";

/** The options of all commands that speak to a registry. */
export const REGISTRY_OPTIONS: Option[] = group("Registry", [
  {
    name: "username",
    value: "USER",
    help: "log in as this user; the password is asked for on a terminal",
  },
  { name: "password-stdin", help: "read the password from standard input" },
  {
    name: "plain-http",
    help: "speak HTTP without TLS; localhost is tried both ways",
  },
  {
    name: "ca-cert",
    value: "FILE",
    help: "trust this certificate (PEM) as well",
  },
]);

/** Where `ciso serve` listens unless --listen says another place. */
export const DEFAULT_ADDRESS = "127.0.0.1:5000";

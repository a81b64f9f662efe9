import { shown } from "../../errors/shown.ts";
import { DescriptionError } from "../../errors/description_error.ts";

/** The user and the group that a process runs as. */
export interface User {
  /** Name or number; `0` where the text names none. */
  user: string;
  /** Name or number, where given. */
  group?: string;
}

/** What a kernel knows of a user: numbers. */
export interface UserIds {
  uid: number;
  gid: number;
  /** Further groups of the user. */
  additionalGids?: number[] | undefined;
}

/**
 * Splits an image's `user` into its halves.
 *
 * @param text `USER`, `USER:GROUP`, or nothing for root.
 * @returns The halves.
 * @throws {DescriptionError} If there is more than one colon.
 */
export function parseUser(text = ""): User {
  const [user, group, ...rest] = text.split(":");
  if (rest.length) {
    throw new DescriptionError(
      `User ${shown(text)} is not USER or USER:GROUP`,
    );
  }
  return { user: user || "0", ...(group && { group }) };
}

/**
 * Looks up an image's `user` in the account files of its root file system, as
 * Docker does when it starts a container: a number that is in no file is
 * taken as it is, a user's group is the one in `passwd` unless one is given, and
 * the further groups come from `group` only when none is given.
 *
 * @param text `USER`, `USER:GROUP`, or nothing for root.
 * @param passwd Text of the file `/etc/passwd`; empty where there is none.
 * @param group Text of the file `/etc/group`; empty where there is none.
 * @returns The numbers.
 * @throws {DescriptionError} If a name is in no file, or the text is malformed.
 * @throws {DescriptionError} If a number does not fit in 32 bits.
 */
export function userIds(text = "", passwd = "", group = ""): UserIds {
  const wanted = parseUser(text);
  const users = records(passwd);
  // As in Docker, a name that is all digits comes before a number.
  const account = users.find((fields) => fields[0] === wanted.user) ??
    users.find((fields) => fields[2] === wanted.user);
  const uid = account?.[2] ?? wanted.user;
  const groups = records(group);
  if (wanted.group) {
    const line = groups.find((fields) => fields[0] === wanted.group);
    return {
      uid: id("User", "passwd", uid),
      gid: id("Group", "group", line?.[2] ?? wanted.group),
    };
  }
  const ids: UserIds = {
    uid: id("User", "passwd", uid),
    gid: id("Group", "group", account?.[3] ?? "0"),
  };
  const name = account?.[0];
  const further = groups
    .filter((fields) => fields[3]?.split(",").includes(name ?? ""))
    .map((fields) => id("Group", "group", fields[2] ?? ""));
  if (name && further.length) ids.additionalGids = further;
  return ids;
}

/** Lines of an account file, split into their fields. */
function records(text: string): string[][] {
  return text.split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function id(what: string, file: string, text: string): number {
  if (!/^[0-9]+$/.test(text)) {
    throw new DescriptionError(
      `${what} ${
        shown(text)
      } is not in the rootfs's /etc/${file}: give a number or a name that is`,
    );
  }
  const value = Number(text);
  // The highest number means "no user" to the kernel.
  if (value >= 2 ** 32 - 1) {
    throw new DescriptionError(
      `${what} ${shown(text)} is not below 4294967295`,
    );
  }
  return value;
}

/** The user of a process whose own user the rootfs does not know. */
const NOBODY: UserIds = { uid: 65534, gid: 65534 };

/**
 * Looks up the user of an image that somebody else made. Its user may be in no
 * file, and only Docker's run command can replace it: then the numbers are
 * nobody's, never root's.
 *
 * @param text `USER`, `USER:GROUP`, or nothing for root.
 * @param passwd Text of the file `/etc/passwd`; empty where there is none.
 * @param group Text of the file `/etc/group`; empty where there is none.
 * @returns The numbers, and what is wrong with the user if these are nobody's.
 */
export function userIdsOrNobody(
  text = "",
  passwd = "",
  group = "",
): { ids: UserIds; fault?: string } {
  try {
    return { ids: userIds(text, passwd, group) };
  } catch (error) {
    return { ids: { ...NOBODY }, fault: (error as Error).message };
  }
}

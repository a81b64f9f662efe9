/**
 * Finds a name that is not taken yet: the wanted one, or the wanted one with
 * `-2`, `-3` and so on after it. The name found is taken from then on.
 *
 * @param wanted The wanted name.
 * @param taken Names in use; the result is added to it.
 * @returns The free name.
 */
export function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}-${count}`;
  taken.add(name);
  return name;
}

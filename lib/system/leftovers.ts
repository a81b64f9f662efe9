/** What to do on the way out, however the process ends. */
export const leftovers = new Set<() => void>();

/** Removes temporary files; for ends that no `finally` sees, such as Ctrl-C. */
export function cleanUp(): void {
  for (const remove of leftovers) {
    try {
      remove();
    } catch {
      // The process ends anyway, and the other files still need removing.
    }
  }
  leftovers.clear();
}

/**
 * @param components by kind and name: `schemas`, `Column`
 * @param root a part of the document; its references, and theirs, say what is used
 * @returns the components that are used, in their order
 */
export function usedComponents<T extends { [kind in keyof T]: Record<string, unknown> }>(
  root: unknown,
  components: T,
): T {
  const used = new Set<string>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== "object" || value === null) continue;
    for (const [member, part] of Object.entries(value)) {
      if (member !== "$ref" || typeof part !== "string") waiting.push(part);
      else if (!used.has(part)) {
        used.add(part);
        const [, , kind = "", name = ""] = part.split("/");
        waiting.push((components as Readonly<Record<string, Record<string, unknown>>>)[kind]?.[name]);
      }
    }
  }
  const kept = Object.entries<Record<string, unknown>>(components).map(([kind, members]) => [
    kind,
    Object.fromEntries(Object.entries(members).filter(([name]) => used.has(`#/components/${kind}/${name}`))),
  ]);
  return Object.fromEntries(kept) as T;
}

/** Names of operations and schemas, made of the names of saved queries. */

/** @returns `citiesByCountry` for `cities-by-country` */
export function camelCase(name: string): string {
  return name.replaceAll(/-+([a-z0-9])/g, (_, next: string) => next.toUpperCase()).replaceAll("-", "");
}

/** @returns `CitiesByCountry` for `cities-by-country` */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/** @returns a function that gives each name once; a second one of the same kind gets a number */
export function uniqueNames(): (wanted: string) => string {
  const given = new Set<string>();
  return (wanted) => {
    let name = wanted;
    for (let next = 2; given.has(name); next++) name = `${wanted}${next}`;
    given.add(name);
    return name;
  };
}

/** The engines of test servers. */
export const engines = ["mysql", "mariadb", "tidb"] as const;
export type Engine = (typeof engines)[number];

/** Engines whose server is in Debian's packages. */
export type DebianEngine = Exclude<Engine, "tidb">;

export function isEngine(name: string | undefined): name is Engine {
  return engines.some((engine) => engine === name);
}

/** Whether clients must use TLS ("required"), may use it ("offered"), or cannot use it ("none"). */
export type TlsMode = "required" | "offered" | "none";

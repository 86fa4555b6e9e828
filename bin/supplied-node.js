import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * wrangler needs Node 22.12, and a user's own Node may be older. So package.json has a Node for each platform among its
 * optional dependencies; npm installs the one that fits. They need no install script.
 * @returns the path of that Node; undefined if npm has installed none
 */
export function suppliedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const prefix = platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `${prefix}-${platform}-${process.arch}/package.json`,
    );
    return join(dirname(manifest), "bin", platform === "win" ? "node.exe" : "node");
  } catch {
    return undefined;
  }
}

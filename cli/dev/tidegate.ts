import { dispatch } from "../command/dispatch.ts";
import { packageVersion } from "../project/paths.ts";

/**
 * The commands for the development of Tidegate itself; the npm scripts call them. Like test/, bench/ and soak/ they are
 * not part of its package.
 */
await dispatch(
  {
    name: "tidegate-dev",
    description: "The commands for the development of Tidegate itself.",
    version: packageVersion(),
  },
  {
    test: { summary: "runs every test", load: () => import("./test.ts") },
    "test:quick": {
      summary: "runs the unit tests, and the gateway tests that a change can touch",
      load: () => import("./test-quick.ts"),
    },
    golden: { summary: "makes test/golden anew, from real servers", load: () => import("./golden.ts") },
  },
);

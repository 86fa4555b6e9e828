/** Compiled by the bundler, since a Worker may not compile WebAssembly itself. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** Written by cli/build.ts: one environment's policy and the saved queries. */
declare module "#application" {
  // biome-ignore lint/plugin: a module that is declared so can import nothing; the rules see this one.
  const application: import("./config/config.ts").Application;
  export default application;
}

/** The bundler compiles WebAssembly, because a Worker may not compile it at run time. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** cli/build.ts writes this module: the policy of one environment, and the saved queries. */
declare module "#application" {
  // biome-ignore lint/plugin: a module that is declared so can import nothing; the rules see this one.
  const application: import("./config/config.ts").Application;
  export default application;
}

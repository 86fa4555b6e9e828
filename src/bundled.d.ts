/** Written by scripts/build.ts: one environment's policy and the saved queries. */
declare module "#application" {
  const application: import("./config/config.ts").Application;
  export default application;
}

import { describe, expect, test } from "vitest";
import { readDataApp } from "../../../../cli/import/data-app.ts";

describe("the files of a Data App", () => {
  test("need only an endpoint's method and path", () => {
    const { endpoints, clusters, name } = readDataApp({ endpoints: '[{"method":"get","endpoint":"/a"}]' });
    expect({ clusters, name }).toEqual({ clusters: [], name: "" });
    expect(endpoints[0]).toMatchObject({
      method: "GET",
      params: [],
      type: "sql_endpoint",
      batch_operation: false,
    });
  });

  test("the 19 digits of a cluster's id are kept", () => {
    const endpoints = '[{"method":"GET","endpoint":"/a","data_source":{"cluster_id":1379661944646194201}}]';
    const app = readDataApp({ endpoints, clusters: '[{"cluster_id": 1379661944646194203}]' });
    expect(app.clusters).toEqual(["1379661944646194203"]);
    expect(app.endpoints[0]?.data_source.cluster_id).toBe("1379661944646194201");
  });

  test("a parameter's values may be texts, or the values", () => {
    const params =
      '[{"name":"a","required":true,"default":5,"enum":[5,6]},{"name":"b","required":0,"default":null}]';
    const [endpoint] = readDataApp({
      endpoints: `[{"method":"GET","endpoint":"/a","params":${params}}]`,
    }).endpoints;
    expect(endpoint?.params).toMatchObject([
      { required: true, default: "5", enum: "5,6", type: "string" },
      { required: false, default: "", enum: "" },
    ]);
  });

  test.each([
    ["", "http_endpoints/config.json is not JSON: "],
    ["{}", "http_endpoints/config.json: the whole file: "],
    ['[{"method":"GET"}]', "http_endpoints/config.json: 0.endpoint: "],
    ['[{"method":"GET","endpoint":"/a","settings":{"timeout":"5 s"}}]', "0.settings.timeout: "],
  ])("%s is refused with its place", (endpoints, message) => {
    expect(() => readDataApp({ endpoints })).toThrow(message);
  });
});

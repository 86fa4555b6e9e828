import { expect, test } from "vitest";
import { expose } from "../../src/exposition.ts";

test("a gauge and a counter, with labels and without", () => {
  expect(
    expose([
      {
        ...{ name: "waiting", type: "gauge", help: "Who waits." },
        samples: [{ labels: {}, value: 0 }],
      },
      {
        ...{ name: "closed_total", type: "counter", help: "What ended." },
        samples: [
          { labels: { account: "reader", reason: "idle" }, value: 3 },
          { labels: { account: "reader", reason: "lost" }, value: 1.5 },
        ],
      },
    ]),
  ).toBe(`# HELP waiting Who waits.
# TYPE waiting gauge
waiting 0
# HELP closed_total What ended.
# TYPE closed_total counter
closed_total{account="reader",reason="idle"} 3
closed_total{account="reader",reason="lost"} 1.5
`);
});

test("a histogram's buckets also count all lower buckets", () => {
  const value = { bounds: [0.1, 1], counts: [2, 0, 3], sum: 12.5 };
  expect(
    expose([{ name: "wait_seconds", type: "histogram", help: "", samples: [{ labels: { a: "b" }, value }] }]),
  ).toBe(`# HELP wait_seconds 
# TYPE wait_seconds histogram
wait_seconds_bucket{a="b",le="0.1"} 2
wait_seconds_bucket{a="b",le="1"} 2
wait_seconds_bucket{a="b",le="+Inf"} 5
wait_seconds_sum{a="b"} 12.5
wait_seconds_count{a="b"} 5
`);
});

test("the subject of a certificate ends neither its label nor its line", () => {
  const samples = [{ labels: { subject: 'CN=\\"\nx 1' }, value: 1 }];
  const text = expose([{ name: "expiry", type: "gauge", help: "one\ntwo\\", samples }]);
  expect(text).toBe(
    '# HELP expiry one\\ntwo\\\\\n# TYPE expiry gauge\nexpiry{subject="CN=\\\\\\"\\nx 1"} 1\n',
  );
});

test("a family without samples is left out", () => {
  expect(expose([{ name: "nothing", type: "gauge", help: "", samples: [] }])).toBe("");
});

test.each([
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
  [Number.NaN, "NaN"],
  [1_764_000_000.5, "1764000000.5"],
  [1e21, "1e+21"],
])("the number %s", (value, text) => {
  expect(expose([{ name: "n", type: "gauge", help: "", samples: [{ labels: {}, value }] }])).toContain(
    `\nn ${text}\n`,
  );
});

import { describe, expect, test } from "vitest";
import { FairQueue } from "../../../../../src/db/pool/connections/fair-queue.ts";

/** Requests have their callers' names: a1 and a2 belong to a. */
function request(name: string) {
  return { caller: name[0] as string, name };
}

function queueWith(length: number, names: string[]) {
  const queue = new FairQueue<ReturnType<typeof request>>(length);
  const requests = new Map(names.map((name) => [name, request(name)]));
  const losers = names.map((name) => queue.push(requests.get(name) as ReturnType<typeof request>)?.name);
  return { queue, requests, losers };
}

/** Takes the first request of the caller whose turn it is. */
function takeFirst(queue: FairQueue<ReturnType<typeof request>>) {
  for (const [, [first]] of queue.turns) {
    if (first) queue.take(first);
    return first;
  }
  return undefined;
}

function drain(queue: FairQueue<ReturnType<typeof request>>): string[] {
  const names: string[] = [];
  for (let item = takeFirst(queue); item; item = takeFirst(queue)) names.push(item.name);
  return names;
}

describe("turns", () => {
  test("of one caller are in the order of arrival", () => {
    expect(drain(queueWith(9, ["a1", "a2", "a3"]).queue)).toEqual(["a1", "a2", "a3"]);
  });

  test("alternate: a caller with many requests waits as long as one with few", () => {
    const { queue } = queueWith(9, ["a1", "a2", "a3", "a4", "b1", "c1", "c2"]);
    expect(drain(queue)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3", "a4"]);
  });

  test("a newcomer is behind each caller's next request, not behind all requests of one", () => {
    const { queue } = queueWith(9, ["a1", "a2", "a3"]);
    expect(takeFirst(queue)?.name).toBe("a1");
    queue.push(request("b1"));
    expect(drain(queue)).toEqual(["a2", "b1", "a3"]);
  });

  test("a caller that comes back does not get in front", () => {
    const { queue } = queueWith(9, ["a1", "b1", "b2"]);
    expect(takeFirst(queue)?.name).toBe("a1");
    queue.push(request("a2"));
    expect(drain(queue)).toEqual(["b1", "a2", "b2"]);
  });

  test("a request that has left is skipped", () => {
    const { queue, requests } = queueWith(9, ["a1", "b1", "c1"]);
    queue.remove(requests.get("b1") as ReturnType<typeof request>);
    queue.remove(requests.get("b1") as ReturnType<typeof request>);
    expect(queue.size).toBe(2);
    expect(drain(queue)).toEqual(["a1", "c1"]);
  });
});

describe("a full queue", () => {
  test("refuses the caller that fills it", () => {
    const { losers, queue } = queueWith(3, ["a1", "a2", "a3", "a4"]);
    expect(losers).toEqual([undefined, undefined, undefined, "a4"]);
    expect(drain(queue)).toEqual(["a1", "a2", "a3"]);
  });

  test("gives a newcomer the last place of the caller with most", () => {
    const { losers, queue } = queueWith(4, ["a1", "b1", "b2", "b3", "c1"]);
    expect(losers.at(-1)).toBe("b3");
    expect(queue.size).toBe(4);
    expect(drain(queue)).toEqual(["a1", "b1", "c1", "b2"]);
  });

  test("continues until all callers have the same number, then refuses every newcomer", () => {
    const { losers } = queueWith(4, ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "a5", "c1", "c2"]);
    expect(losers.slice(4)).toEqual(["a4", "a3", "b3", "a5", "a2", "c2"]);
  });

  test("with one request per caller refuses a newcomer", () => {
    expect(queueWith(2, ["a1", "b1", "c1"]).losers).toEqual([undefined, undefined, "c1"]);
  });

  test("has room again after each that leaves", () => {
    const { queue } = queueWith(1, ["a1"]);
    takeFirst(queue);
    expect(queue.push(request("a2"))).toBeUndefined();
  });
});

test("empty() removes and returns all requests", () => {
  const { queue } = queueWith(9, ["a1", "a2", "b1"]);
  expect(queue.empty().map(({ name }) => name)).toEqual(["a1", "a2", "b1"]);
  expect([queue.size, takeFirst(queue)]).toEqual([0, undefined]);
});

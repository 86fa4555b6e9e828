import { expect, test } from "vitest";
import { SocketReader } from "../../../../src/db/links/socket-reader.ts";
import { limits } from "../../../../src/limits.ts";

const { socketReadBytes: most, socketReadLeastBytes: least } = limits;

/** A socket that gives so many bytes with each read, at most what fits, each byte the read's number. */
function socketOf(sizes: number[]) {
  const rooms: number[] = [];
  const readable = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest as ReadableStreamBYOBRequest;
      const { byteLength, byteOffset, buffer } = request.view as Uint8Array;
      const size = Math.min(sizes[rooms.length] ?? 0, byteLength);
      rooms.push(byteLength);
      new Uint8Array(buffer, byteOffset, size).fill(rooms.length);
      if (size === 0) controller.close();
      request.respond(size);
    },
  });
  return { reader: new SocketReader({ readable } as never), rooms };
}

test("reads grow with what comes, and are small again after it", async () => {
  const sizes = [100, least, most, most, most / 2, 100, 100];
  const { reader, rooms } = socketOf(sizes);
  const read: number[][] = [];
  for (;;) {
    const bytes = await reader.read();
    if (!bytes) break;
    // The bytes are valid until the next read.
    read.push([bytes.length, bytes[0] ?? 0, bytes.at(-1) ?? 0]);
  }
  expect(rooms).toEqual([least, least, 4 * least, most, most, most, least, least]);
  const lengths = [100, least, 4 * least, most, most / 2, 100, 100];
  expect(read).toEqual(lengths.map((length, i) => [length, i + 1, i + 1]));
});

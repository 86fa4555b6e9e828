import { frame, type Packet } from "../../../servers/wire/packets.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import { TrickMeddler } from "../../../servers/wire/tampering.ts";
import { startProxy } from "../support/harness.ts";

/** Values that replace the real ones in a connection's proof. */
export interface Pretence {
  connectionId?: string;
  hostname?: string;
}

/** The positions of the proof's columns (src/db/mysql/engines/proof.ts). */
const columns = { connectionId: 5, hostname: 6 } as const;

/**
 * A proxy that changes the values of proofs.
 * @param pretend called for each proof with the number of its connection, in the order of acceptance, and
 * its own number in the connection, both from 0
 */
export async function startPretendingProxy(
  pretend: (connection: number, proof: number) => Pretence,
): Promise<CountingProxy> {
  let accepted = 0;
  return await startProxy({
    meddle: (client) => {
      const connection = accepted++;
      let proofs = 0;
      /** The position of the proof's only row among the packets of the answer. */
      let rowIndex = 0;
      return new TrickMeddler(client, (packet, spot) => {
        // The number of columns comes first; after their definitions comes an end packet.
        if (isProof(spot) && spot.index === 0) rowIndex = Number(packet.payload[0]) + 2;
        if (!isProof(spot) || spot.index === 0 || spot.index !== rowIndex) return undefined;
        return { send: frame(packet.sequence, changedRow(packet, pretend(connection, proofs++))) };
      });
    },
  });
}

function isProof({ command, text }: Spot): boolean {
  return command === "COM_QUERY" && text.includes("CONNECTION_ID()");
}

/** @param packet a row of the text protocol whose values have fewer than 251 bytes */
function changedRow({ payload }: Packet, { connectionId, hostname }: Pretence): Buffer {
  const values: (Buffer | undefined)[] = [];
  for (let at = 0; at < payload.length; ) {
    const length = payload[at] as number;
    values.push(length === 0xfb ? undefined : payload.subarray(at + 1, at + 1 + length));
    at += length === 0xfb ? 1 : 1 + length;
  }
  if (connectionId !== undefined) values[columns.connectionId] = Buffer.from(connectionId);
  if (hostname !== undefined) values[columns.hostname] = Buffer.from(hostname);
  return Buffer.concat(
    values.flatMap((value) => (value ? [Buffer.from([value.length]), value] : [Buffer.from([0xfb])])),
  );
}

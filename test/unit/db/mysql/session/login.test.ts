import { describe, expect, test } from "vitest";
import { buildGreeting, capability, frame } from "../../../../../servers/wire/packets.ts";
import type { Account } from "../../../../../src/config/config.ts";
import type { Cluster } from "../../../../../src/config/schema.ts";
import type { Link, Wire } from "../../../../../src/db/links/link.ts";
import { LinkError } from "../../../../../src/db/links/link.ts";
import { greet, logIn, openingError } from "../../../../../src/db/mysql/session/login.ts";
import { isHostFailure } from "../../../../../src/db/pool/connections/host-failover.ts";
import type { TidegateError } from "../../../../../src/errors.ts";
import { FakeWire } from "../guard/guarded-connection.ts";

/**
 * Tells failures of the host from the gateway's own failures. Only after a failure of the host does the pool
 * avoid the host for a while.
 */

const cluster = {
  hosts: [{ hostname: "db.test", port: 3306 }],
  connect_timeout_ms: 30_000,
  engine: "mysql",
  database: "shop",
} as unknown as Cluster;
const account = {
  name: "analyst",
  user: "gw_analyst",
  credential: { password: "hunter2" },
  cleartext: false,
} as unknown as Account;

const { LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB, SSL } = capability;

/** A server that sends its greeting and offers TLS. */
class Greeting extends FakeWire {
  override start(): void {
    const greeting = buildGreeting({
      serverVersion: "9.7.4",
      connectionId: 1,
      capabilities: LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | CONNECT_WITH_DB | SSL,
      scramble: Buffer.alloc(20, 1),
      plugin: "mysql_native_password",
    });
    this.emit("data", frame(0, greeting));
  }
}

const linkOf = (wire: Wire): Link => ({ dial: async () => wire });

async function refusalOf(link: Link, of: Account = account): Promise<TidegateError> {
  return await logIn(link, cluster, of).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

describe("a failure of the gateway itself is not a failure of the host", () => {
  const broken = new TypeError("cannot sign with hunter2");
  const fails = () => {
    throw broken;
  };
  /** The login reads this property, which throws. */
  const unreadable = { ...account, credential: Object.defineProperty({}, "password", { get: fails }) };

  test.each<[string, Link, Account]>([
    ["the link", { dial: async () => fails() }, account],
    ["the account's credential", linkOf(new Greeting()), unreadable as Account],
    [
      "the handshake, after TLS",
      linkOf(new Greeting()),
      { ...account, credential: { password: 7 as never } },
    ],
  ])("in %s", async (_, link, of) => {
    const error = await refusalOf(link, of);
    expect(error.code).toBe("internal");
    expect(isHostFailure(error)).toBe(false);
    expect(error.operator).toContain("Error");
    expect(error.operator).not.toContain("hunter2");
  });

  test("in the guard between wire and driver", async () => {
    class Broken extends Greeting {
      override async secure(): Promise<void> {
        this.destroy(new RangeError("ours"));
      }
    }
    expect(await refusalOf(linkOf(new Broken()))).toMatchObject({ code: "internal" });
  });

  test("with a token's key that cannot sign", async () => {
    const credential = { token: { key: JSON.stringify({ kty: "EC", kid: "k" }), algorithm: "RS256" } };
    const error = await refusalOf(linkOf(new Greeting()), { ...account, credential } as Account);
    expect(error.code).toBe("misconfigured");
    expect(isHostFailure(error)).toBe(false);
  });
});

describe("a failure of the server or of the way to it is a failure of the host", () => {
  /** @param act the server's reaction when the driver begins TLS */
  function acting(act: (wire: FakeWire) => void): Link {
    return linkOf(
      new (class extends Greeting {
        override async secure(): Promise<void> {
          act(this);
          await new Promise(() => {});
        }
      })(),
    );
  }

  test.each<[string, Link]>([
    ["no way to it", { dial: () => Promise.reject(new LinkError("dial", "no way")) }],
    ["the connection breaks", acting((wire) => wire.destroy(new Error("reading from db.test: lost")))],
    ["the server closes it", acting((wire) => wire.destroy())],
    ["the server says too much", acting((wire) => wire.emit("data", frame(2, Buffer.alloc(20_000, 1))))],
  ])("%s", async (_, link) => {
    const error = await refusalOf(link);
    expect(error.code).toBe("database_unreachable");
  });

  test("a greeting that the driver cannot read", async () => {
    class Cut extends FakeWire {
      override start(): void {
        this.emit("data", frame(0, Buffer.from([10])));
      }
    }
    const credential = { password: "", plugin: undefined, cleartext: false };
    const options = { hostname: "db.test", user: "gw", credential, database: "shop" };
    const cause = await greet(new Cut(), options).catch((error: unknown) => error);
    expect(openingError(cause).code).toBe("database_unreachable");
  });

  test("a greeting with an incomplete scramble", async () => {
    class Cut extends FakeWire {
      override start(): void {
        const greeting = { serverVersion: "9.7.4", connectionId: 1, plugin: "mysql_native_password" };
        const capabilities = PROTOCOL_41 | SSL;
        this.emit(
          "data",
          frame(0, buildGreeting({ ...greeting, capabilities, scramble: Buffer.alloc(20, 1) })),
        );
      }
      override async secure(): Promise<void> {
        setImmediate(() => this.destroy());
      }
    }
    expect((await refusalOf(linkOf(new Cut()))).code).toBe("database_auth_unsupported");
  });

  test("TLS that fails", async () => {
    class Insecure extends Greeting {
      override async secure(): Promise<void> {
        throw new LinkError("tls", "no verified TLS");
      }
    }
    expect((await refusalOf(linkOf(new Insecure()))).code).toBe("database_tls_failed");
  });

  test("an error of the server keeps its code", async () => {
    const denied = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from("#28000Access denied")]);
    class Denying extends Greeting {
      override write(bytes: Uint8Array): boolean {
        if (bytes.length > 36) queueMicrotask(() => this.emit("data", frame(3, denied)));
        return super.write(bytes);
      }
    }
    expect((await refusalOf(linkOf(new Denying()))).code).toBe("database_login_failed");
  });
});

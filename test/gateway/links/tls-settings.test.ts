// Runs on mariadb only: the engine has no part in what it tests.
import { afterAll, describe, test } from "vitest";
import { trusting } from "./tls-cases.ts";
import { good, identity, pki } from "./tls-certificates.ts";
import { ask, expectRefused, expectTrusted, stopRogues } from "./tls-rogues.ts";

afterAll(stopRogues);

describe("rustls: what the configuration says", () => {
  const issued = () => identity(pki.authority.issue(good));

  test("several CAs: the server may have a certificate of the old or of the new one", async () => {
    const bundle = `# old\n${pki.stranger.certificate}\n# new\n${pki.ca}`;
    expectTrusted(await ask({ bundle }, trusting(await issued())));
    expectTrusted(await ask({ bundle }, trusting(await identity(pki.stranger.issue(good)))));
  });

  test("a CA that the runtime trusts counts for nothing unless it is in the bundle", async () => {
    const asked = await ask({ bundle: pki.unrelated.certificate }, trusting(await issued()));
    expectRefused(asked, /not issued by a CA of the bundle/);
  });

  test("a CA whose own days are over is not trusted any more", async () => {
    const old = await pki.expiredAuthority();
    const bundle = `${old.certificate}${pki.ca}`;
    expectRefused(await ask({ bundle }, trusting(await identity(old.issue(good)))), /not issued by a CA/);
    expectTrusted(await ask({ bundle }, trusting(await issued())));
  });

  test.each([
    ["tls_min", "TLSv1.3", "TLSv1.2"],
    ["tls_max", "TLSv1.2", "TLSv1.3"],
  ] as const)("%s = %s refuses a server of %s, and takes one of its own", async (key, configured, other) => {
    const options = { bundle: pki.ca, cluster: { [key]: configured } };
    const only = (version: "TLSv1.2" | "TLSv1.3") => ({ minVersion: version, maxVersion: version });
    expectRefused(await ask(options, trusting(await issued(), only(other))), /no TLS version between/);
    expectTrusted(await ask(options, trusting(await issued(), only(configured))));
  });

  test("tls_server_name is verified in the place of the address", async () => {
    const options = { bundle: pki.ca, cluster: { tls_server_name: "db.example.com" } };
    const of = (dns: string[]) => identity(pki.authority.issue({ commonName: "db", dns }));
    expectTrusted(await ask(options, trusting(await of(["db.example.com"])), "127.0.0.1"));
    expectTrusted(await ask(options, trusting(await of(["*.example.com"])), "127.0.0.1"));
    for (const shown of [await issued(), await of(["*.com"]), await of(["*.db.example.com"])]) {
      expectRefused(
        await ask(options, trusting(shown), "127.0.0.1"),
        /does not name db\.example\.com .*tls_server_name/,
      );
    }
  });

  test.each(["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"])(
    "TLS 1.2 with %s alone is taken",
    async (ciphers) => {
      const shown = await identity(pki.authority.issue({ ...good, keyType: "RSA-2048" }));
      expectTrusted(await ask({ bundle: pki.ca }, trusting(shown, { ciphers, maxVersion: "TLSv1.2" })));
    },
  );
});

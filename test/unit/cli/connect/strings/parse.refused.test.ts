import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConnectionString } from "../../../../../cli/connect/strings/parse.ts";
import { packageRoot } from "../../../../../cli/project/paths.ts";

function refusals(text: string): string {
  const parsed = parseConnectionString(text);
  return "refusals" in parsed ? parsed.refusals.join("\n") : "taken";
}

describe("a setting that lowers security, or that does not exist, is refused with the reason", () => {
  test.each([
    ["jdbc:mysql://h/d?user=u&sslMode=REQUIRED", /^sslMode=REQUIRED encrypts without looking at who/],
    ["jdbc:mysql://h/d?user=u&sslMode=PREFERRED", /^sslMode=PREFERRED goes on in clear text/],
    ["jdbc:mysql://h/d?user=u&sslMode=DISABLED", /^sslMode=DISABLED sends everything in clear text/],
    ["jdbc:mariadb://h/d?user=u&sslMode=trust", /^sslMode=TRUST encrypts without/],
    ["jdbc:mariadb://h/d?user=u&trustServerCertificate=true", /^trustServerCertificate=true takes any/],
    [
      "jdbc:mariadb://h/d?user=u&disableSslHostnameVerification=true",
      /takes a certificate that names another/,
    ],
    ["jdbc:mysql://h/d?user=u&sslMode=SOMETHING", /^sslMode has an unknown value: write VERIFY_IDENTITY/],
    ["jdbc:mysql://h/d?user=u&useSSL=false", /^useSSL=false sends everything in clear text/],
    ["jdbc:mysql://h/d?user=u&verifyServerCertificate=false", /^verifyServerCertificate=false takes any/],
    ["jdbc:mysql://h/d?user=u&requireSSL=perhaps", /^requireSSL must be true or false/],
    ["jdbc:mysql://h/d?user=u&clientCertificateKeyStoreUrl=file:x.p12", /mutual TLS/],
    ["jdbc:mysql://h/d?user=u&tlsVersions=TLSv1.1", /^tlsVersions allows no version from TLS 1\.2 on/],
    ["jdbc:mysql://h/d?user=u&tlsVersions=TLSv9", /^tlsVersions names a version that is none/],
    ["jdbc:mysql://h/d?user=u&tlsCiphersuites=x", /^tlsCiphersuites has no counterpart/],
    ['jdbc:mysql://h/d?user=u&tlsVersions="TLSv1.1"', /^tlsVersions allows no version from TLS 1\.2 on/],
    ['jdbc:mysql://h/d?user=u&tlsVersions="TLSv9"', /^tlsVersions names a version that is none/],
    ['jdbc:mysql://h/d?user=u&sslMode="REQUIRED"', /^sslMode=REQUIRED encrypts without/],
    ['jdbc:mysql://h/d?user=u&useSSL="false"', /^useSSL=false sends everything/],
    ['jdbc:mysql://h/d?user="u"', /^The user stands in quotation marks/],
    ['String url = "jdbc:mysql://" + host + "/d?user=u";', /^The URL is put together by the program/],
    ["TIDB_HOST=h\nTIDB_USER=u\nUSE_SSL=false", /^USE_SSL=false sends everything in clear text/],
    [
      "DB_HOST=h\nDB_USERNAME=u\nMAIL_HOST=m\nMAIL_PASSWORD=x\nDB_PASSWORD=y",
      /^Two lines say the host[\s\S]*Two lines say the password/,
    ],
    ["HOST=h\nUSER=u\nPASSWORD=a#b", /^A value has a # outside of quotation marks/],
    ["HOST={host}\nUSER=u", /^The host is a blank/],
    ["HOST=h\nPORT=4000", /^The string names no user/],
    ["define('DB_USER', 'u');\ndefine('DB_NAME', 'd');", /^The string names no host/],
    [
      "define('DB_HOST', 'h');\ndefine('DB_USER', 'u');\ndefine('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);",
      /^MYSQL_CLIENT_FLAGS takes any server's certificate/,
    ],
    [
      "Mysql2::Client.new(host: 'h', username: 'u', ssl_mode: :required)",
      /^ssl_mode=REQUIRED encrypts without/,
    ],
    ["Mysql2::Client.new(options)", /no host and user that can be read/],
    ["jdbc:mysql://address=(host=h)(port=1)/d?user=u", /write host:port/],
    ["jdbc:mysql+srv://h/d?user=u", /JDBC URL is none of MySQL's/],
    ["jdbc:postgresql://h/d?user=u", /JDBC URL is none of MySQL's/],
    ["mysql+srv://u@h/d", /DNS SRV/],
    ["mysqlx://u@h/d", /X protocol/],
    ["postgres://u@h/d", /not one of MySQL's/],
    ["mysql://u@h/d?ssl-mode=REQUIRED", /^ssl-mode=REQUIRED/],
    [
      "mysql://u@h/d?sslcert=c.pem&sslkey=k.pem",
      /sslcert asks for mutual TLS[\s\S]*sslkey asks for mutual TLS/,
    ],
    ["mysql://u@h/d?sslaccept=accept_invalid_certs", /^sslaccept other than strict takes any/],
    ["mysql://u@h/d?sslaccept=strict&sslidentity=x.p12", /mutual TLS/],
    ['mysql://u@h/d?ssl={"rejectUnauthorized":false}', /^rejectUnauthorized=false takes any/],
    ["mysql://u@h/d?ssl={broken", /^ssl is no JSON object/],
    ["mysql://u@h/d?socket=/tmp/x", /^socket asks for a socket of one machine/],
    ["mysql://u:p/w@h/d", /percent-encoded/],
    ["mysql://u:p#w@h/d", /percent-encoded/],
    ["mysql://u:p%zz@h/d", /percent-encoded/],
    ["mysql://u@h:99999/d", /^The port is no number/],
    ["mysql://u@<host>/d", /^The host is a blank/],
    ["mysql://u@{gateway-region}.aws.tidbcloud.com:4000/d", /^The host is a blank/],
    ["mysql://<prefix>.root@h/d", /^The user is a blank/],
    ["mysql://u@h:{port}/d", /^The port is a blank/],
    ["mysql://u@h/<database>", /^The database is a blank/],
    ["mysql://h/d", /^The string names no user/],
    ["mysql:///d", /names no host[\s\S]*names no user/],
    [`mysql://${"u".repeat(33)}@h/d`, /more than 32 characters/],
    ["mysql -u u -h h --ssl-mode=PREFERRED", /^ssl-mode=PREFERRED/],
    [
      "mysql -u u -h h --ssl-cert=c.pem --ssl-key k.pem",
      /ssl-cert asks for mutual[\s\S]*ssl-key asks for mutual/,
    ],
    ["mysql -u u -h h --skip-ssl", /^ssl=false sends everything in clear/],
    ["mysql -u u -h h --ssl=0", /^ssl=false sends/],
    ["mariadb -u u -h h --skip-ssl-verify-server-cert", /^ssl-verify-server-cert=false takes any/],
    ["mysql -u u -h h --ssl-capath=/x", /^ssl-capath has no counterpart/],
    ["mysql -u u -h h --tls-version=TLSv1,TLSv1.1", /^tls-version allows no version/],
    ["mysql -u u -S /tmp/mysql.sock", /^socket asks for a socket/],
    ["mysql -u u -h h --protocol=socket", /^protocol asks for a socket/],
    ["mysql --login-path=x -u u -h h", /takes its settings from a file/],
    ["mysql --defaults-extra-file=x -u u -h h", /takes its settings from a file/],
    ["mysql -u u -h h -p'x", /quotation mark of the line does not end/],
    ["mysql -u u -h h -px; rm x", /outside of quotes/],
    ["mysql -u u -h h d < dump.sql", /outside of quotes/],
    ["mysql -u u -h h a b", /more than one database/],
    ["mysql -u $DB_USER -h h", /^The user is a blank/],
    ["u@tcp(h)/d?tls=skip-verify", /^tls=skip-verify takes any/],
    ["u@tcp(h)/d?tls=preferred", /^tls=preferred goes on in clear text/],
    ["u@tcp(h)/d?tls=false", /^tls=false sends everything/],
    ["u@tcp(h)/d?allowFallbackToPlaintext=true", /^allowFallbackToPlaintext=true/],
    ["u@unix(/tmp/x)/d", /socket of one machine/],
    ['sql.Open("mysql", "u@tcp(h)/d") &tls.Config{InsecureSkipVerify: true}', /InsecureSkipVerify takes any/],
    ["connect(host='h', user='u', ssl_disabled=True)", /^ssl_disabled=true sends everything/],
    ["connect(host='h', user='u', ssl_verify_cert=False)", /^ssl_verify_cert=false takes any/],
    [
      "connect(host='h', user='u', ssl={'check_hostname': False})",
      /^check_hostname=false takes a certificate/,
    ],
    ["connect(host='h', user='u', ssl={'verify_mode': ssl.CERT_NONE})", /^verify_mode takes any/],
    ["connect(host='h', user='u', ssl=ssl._create_unverified_context())", /verifies nothing/],
    [
      "connect(host='h', user='u', ssl={'cert': 'c', 'key': 'k'})",
      /cert asks for mutual[\s\S]*key asks for mutual/,
    ],
    ["connect(host=os.getenv('H'), user='u')", /^The host is a blank/],
    ["connect(host='h', port=os.getenv('P'), user='u')", /^The port is a blank/],
    ["connect(host='{gateway-region}.x.tidbcloud.com', user='u')", /^The host is a blank/],
    ["connect(host='h', user='u', unix_socket='/tmp/x')", /^unix_socket asks/],
    ["connect(host='h', user='u'", /^The code cannot be read/],
    ["{ host: 'h', user: 'u', ssl: { rejectUnauthorized: false } }", /^rejectUnauthorized=false/],
    [
      "{ host: 'h', user: 'u', ssl: { rejectUnauthorized: !production } }",
      /^rejectUnauthorized must be true or false/,
    ],
    ["{ host: 'h', user: 'u', ssl: false }", /^ssl=false sends/],
    ["{ host: 'h', user: 'u', ssl: { verifyIdentity: false } }", /^verifyIdentity=false/],
    ["{ host: 'h', user: 'u', ssl: { cert: x, key: y } }", /mutual TLS/],
    [
      "{ host: 'h', user: 'u', ssl: { checkServerIdentity: () => {} } }",
      /^checkServerIdentity has no counterpart/,
    ],
    ["{ host: 'h', user: 'u', ssl: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }", /no version is left/],
    ["{ host: process.env.DB_HOST, user: 'u' }", /^The host is a blank/],
    ["{ host: 'h', user: 'u', password: 'x }", /^The code cannot be read/],
    ["createConnection(config)", /no host and user/],
    ["Server=h;Uid=u;SslMode=None", /^SslMode=NONE sends everything in clear text; .* write that\.$/],
    ["Server=h;Uid=u;SslMode=Required", /^SslMode=REQUIRED encrypts without.* VerifyFull: write that/],
    ["Server=h;Uid=u;Ssl Mode=Preferred", /^Ssl Mode=PREFERRED goes on in clear text/],
    ["Server=h;Uid=u;SslMode=Full", /^SslMode has an unknown value: write VerifyFull/],
    ["Server=h;Uid=u;Encrypt=false", /^Encrypt=false sends everything/],
    ["Server=h;Uid=u;Pwd=a;b;Database=d", /^A part between two ; has no name/],
    ["Server=h;Uid=u;Pwd='ab", /^A quotation mark of the string does not end/],
    ["Server=h;Uid=u;Pwd='ab'c;", /^A value goes on behind its quotation mark/],
    ["Server=h;Uid=u;CertificateFile=x.pfx;Certificate Password=y", /^CertificateFile asks for mutual/],
    ["Server=h;Uid=u;Certificate Store Location=CurrentUser", /mutual TLS/],
    ["Server=h;Uid=u;Protocol=unix", /^Protocol asks for a socket/],
    ["Server=h;Uid=u;Pipe Name=x", /^Pipe Name asks for a socket/],
    ["Server=h;Uid=u;TLS Version=TLS 1.1", /^TLS Version allows no version/],
    ["Server=h;Integrated Security=SSPI", /Windows account/],
    ["Server=h;Database=d", /^The string names no user/],
    ["Server={host};Uid=u", /^The host is a blank/],
    ["DSN=x;Server=h;Uid=u", /takes its settings from a DSN/],
    [
      '{"ConnectionStrings":{"A":"Server=h;Uid=u","B":"Server=i;Uid=v"}}',
      /^There is more than one connection string/,
    ],
    ["mysql:host=h;dbname=d", /names no user.*;user=NAME/],
    ["mysql:unix_socket=/x;dbname=d;user=u", /^unix_socket asks for a socket/],
    ["new PDO('mysql:host=h;dbname=d', $user, $pw)", /^The user is a blank/],
    ["new PDO($dsn, 'u', 'p')", /^The DSN is put together by the program/],
    ["new PDO('pgsql:host=h;dbname=d', 'u', 'p')", /not one of MySQL's/],
    [
      "new PDO('mysql:host=h', 'u', 'p', [PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false])",
      /^SSL_VERIFY_SERVER_CERT=false takes any/,
    ],
    ["new PDO('mysql:host=h', 'u', 'p', [PDO::MYSQL_ATTR_SSL_KEY => 'k.pem'])", /^SSL_KEY asks for mutual/],
    [
      "$m->real_connect('h', 'u', 'p', 'd', 3306, null, MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT)",
      /^The flags take any server's certificate/,
    ],
    ["$m->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, false);\n$m->real_connect('h', 'u')", /takes any/],
    ["mysqli_connect('h', 'u', 'p', 'd', 3306, '/tmp/x')", /^socket asks for a socket/],
    ["<?php echo 1;", /no host and user that can be read/],
    [
      'MySqlConnectOptions::new().host("h").username("u").ssl_mode(MySqlSslMode::Required)',
      /^ssl_mode=REQUIRED/,
    ],
    ['MySqlConnectOptions::new().host("h").username("u").socket("/x")', /^socket asks/],
    ["r2dbc:postgresql://u@h/d", /R2DBC URL is none/],
    ["hello", /none of the known forms/],
    ["", /no connection string/],
    ["x".repeat(20_001), /more than 20000 characters/],
  ])("%s", (text, reason) => {
    expect(refusals(text)).toMatch(reason);
  });

  test("all reasons are reported at once", () => {
    const text = "jdbc:mysql://h/d?user=u&sslMode=REQUIRED&verifyServerCertificate=false&sslKey=k";
    expect(refusals(text).split("\n")).toHaveLength(3);
  });
});

describe("for every input", () => {
  const secret = fc
    .string({ minLength: 1, maxLength: 12, unit: "grapheme-ascii" })
    .map((text) => `Zq7${text}Zq8`);
  const shapes: ((password: string, other: string) => string)[] = [
    (password, other) => `mysql://u:${password}@h/${other}`,
    (password, other) => `mysql://u:${encodeURIComponent(password)}@h/d?${other}`,
    (password, other) => `jdbc:mysql://h/d?user=u&password=${password}&${other}=${password}`,
    (password, other) => `mysql -u u -h h -p${password} ${other}`,
    (password, other) => `mysql -u u -h h --password='${password}' --${other}=${password}`,
    (password, other) => `mycli -u u -h h -p "${password}" ${other}`,
    (password, other) => `u:${password}@tcp(h)/d?tls=${other}`,
    (password, other) => `connect(host='h', user='u', password='${password}', ${other})`,
    (password, other) => `{ host: 'h', user: 'u', password: "${password}", ${other} }`,
    (password, other) => `Server=h;Uid=u;Pwd=${password};${other}`,
    (password, other) => `Server=h;Uid=u;Pwd="${password}";${other}=${password}`,
    (password, other) => `new PDO("mysql:host=h;${other}", 'u', '${password}', [${other} => ${password}])`,
    (password, other) => `mysqli_connect('h', 'u', "${password}", ${other})`,
    (password, other) => `MySqlConnectOptions::new().host("h").password("${password}").${other}`,
    (password, other) => `${other}${password}`,
  ];
  const text = fc
    .tuple(fc.constantFrom(...shapes), secret, fc.string({ maxLength: 30, unit: "binary" }))
    .map(([shape, password, other]) => shape(password, other));

  test("the string is accepted or refused; nothing is thrown, and no message repeats the password", () => {
    fc.assert(
      fc.property(text, (input) => {
        const parsed = parseConnectionString(input);
        const messages = "refusals" in parsed ? parsed.refusals : parsed.connection.notes;
        if ("refusals" in parsed) expect(parsed.refusals.length).toBeGreaterThan(0);
        expect(messages.join("\n")).not.toMatch(/Zq[78]/);
      }),
      { numRuns: 3_000 },
    );
  });

  test("an encoded password is decoded to itself", () => {
    const anything = fc
      .string({ minLength: 1, maxLength: 30, unit: "binary" })
      .filter((one) => one.isWellFormed() && !one.includes("\0"))
      .map((one) => `${one}!`);
    const quoted = (one: string) => `'${one.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(anything, (password) => {
        const strings = [
          `mysql://u:${encodeURIComponent(password)}@h/d`,
          `jdbc:mysql://h/d?user=u&password=${encodeURIComponent(password)}`,
          `u:${password}@tcp(h:1)/d`,
          ...(password.includes("\r\n") ? [] : [`mysql -u u -h h -p${quoted(password)} d`]),
          JSON.stringify({ host: "h", user: "u", password }),
          ...(/['\r\n]/.test(password) ? [] : [`HOST=h\nUSER=u\nPASSWORD='${password}'`]),
          `define('DB_HOST', 'h'); define('DB_USER', 'u'); define('DB_PASSWORD', '${password.replace(/['\\]/g, "\\$&")}');`,
          `Server=h;Uid=u;Pwd="${password.replaceAll('"', '""')}"`,
          `Uid=u;Server=h;Pwd='${password.replaceAll("'", "''")}';`,
          `new PDO('mysql:host=h', 'u', '${password.replace(/['\\]/g, "\\$&")}')`,
          `mysqli_connect("h", "u", "${password.replace(/["\\$]/g, "\\$&")}")`,
          `DriverManager.getConnection("jdbc:mysql://h/d", "u", "${password.replace(/["\\]/g, "\\$&")}")`,
        ];
        for (const one of strings) {
          expect(parseConnectionString(one)).toMatchObject({ connection: { user: "u", password } });
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a deep or long input does not crash", () => {
    const deep = `{host:'h',user:'u',ssl:${"{a:".repeat(5_000)}1${"}".repeat(5_000)}}`;
    expect(() => parseConnectionString(deep)).not.toThrow();
    expect(() => parseConnectionString(`mysql -${"A".repeat(19_000)}`)).not.toThrow();
    expect(() => parseConnectionString(`connect(host=${"(".repeat(9_000)}`)).not.toThrow();
  });
});

describe("docs/guides/connect.md", () => {
  const document = readFileSync(join(packageRoot, "docs", "guides", "connect.md"), "utf8");
  const examples = [...document.matchAll(/```text\n([\s\S]*?)```/g)].map(([, example = ""]) => example);

  test("has an example of each form", () => {
    expect(examples.length).toBeGreaterThanOrEqual(10);
  });

  test.each(examples)("%s", (example) => {
    expect(parseConnectionString(example)).toMatchObject({
      connection: { user: expect.stringMatching(/^(?:reader|2aBcD\.root)$/), database: "shop" },
    });
  });

  test("each setting that it calls refused is refused", () => {
    const refused = document.slice(
      document.indexOf("## What is refused"),
      document.indexOf("## When it fails"),
    );
    const settings = [...refused.matchAll(/`(\w+(?:=|: )[\w-]+)`/g)].map(([, setting = ""]) => setting);
    expect(settings.length).toBeGreaterThanOrEqual(6);
    for (const setting of settings) {
      const [name = "", value = ""] = setting.split(/=|: /);
      const text =
        name === "tls"
          ? `u@tcp(h)/d?${setting}`
          : name === "rejectUnauthorized"
            ? `{host:'h',user:'u',ssl:{${setting}}}`
            : `mysql://u@h/d?${name}=${value}`;
      expect(refusals(text), setting).toContain(name);
    }
  });
});

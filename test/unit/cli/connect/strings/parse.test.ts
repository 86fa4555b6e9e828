import { describe, expect, test } from "vitest";
import type { ConnectionString } from "../../../../../cli/connect/strings/parse.ts";
import { parseConnectionString } from "../../../../../cli/connect/strings/parse.ts";

/** Accepted strings: each row has the string, and the result's differences from the default. */
type Row = [string, Partial<ConnectionString> & { at?: string }];

const base = { user: "u", password: undefined, database: "d", caPath: undefined, needsCa: false };
const versions = { tlsMin: undefined, tlsMax: undefined };
const both = { tlsMin: "TLSv1.2", tlsMax: "TLSv1.3" } as const;
const only12 = { tlsMin: "TLSv1.2", tlsMax: "TLSv1.2" } as const;

function check(rows: Row[]) {
  test.each(rows)("%s", (text, { at = "h:3306", ...expected }) => {
    const parsed = parseConnectionString(text);
    expect(parsed).not.toHaveProperty("refusals");
    if (!("connection" in parsed)) return;
    const { connection } = parsed;
    expect(connection).toMatchObject({ ...base, ...versions, ...expected });
    expect(connection.hosts.map(({ hostname, port }) => `${hostname}:${port}`).join(",")).toBe(at);
  });
}

describe("a URL", () => {
  check([
    ["mysql://u@h/d", {}],
    ["mysql://u:p@h:4000/d", { password: "p", at: "h:4000" }],
    ["mysql://u:p%40%3A%2Fs%25@h/d", { password: "p@:/s%" }],
    ["mysql://u:p@ss@h/d", { password: "p@ss" }],
    ["mysql://u:a:b@h/d", { password: "a:b" }],
    ["mysql://u:a+b@h/d", { password: "a+b" }],
    ["mysql://%C3%BC%2Fx@h/d%2Fe", { user: "ü/x", database: "d/e" }],
    ["mysql://u:@h/d", {}],
    ["mysql://u@h", { database: undefined }],
    ["mysql://u@h/", { database: undefined }],
    ["mysql://u@[::1]:3307/d", { at: "::1:3307" }],
    ["mysql://u@192.0.2.7/d", { at: "192.0.2.7:3306" }],
    ["mysql://u@h1:1,h2:2,h3/d", { at: "h1:1,h2:2,h3:3306" }],
    ["MySQL://u@h/d?sslMode=verify_identity", {}],
    ["mariadb://u@h/d?sslMode=verify-full", {}],
    ["mysql2://u@h/d?ssl_mode=verify_identity&sslca=/x/ca.pem", { caPath: "/x/ca.pem" }],
    ["mysql+pymysql://u@h/d?ssl_ca=ca.pem", { caPath: "ca.pem" }],
    ["mysql+mysqlconnector://u@h/d?charset=utf8mb4", {}],
    ["mysql://u@h/d?ssl-mode=VERIFY_CA", {}],
    ["mysql://u@h/d?sslmode=VERIFY_IDENTITY&tls-version=TLSv1.2", only12],
    ['mysql://u@h/d?ssl={"rejectUnauthorized":true}', {}],
    [
      "mysql://u@h/d?ssl=%7B%22rejectUnauthorized%22%3Atrue%2C%22minVersion%22%3A%22TLSv1.3%22%7D",
      { tlsMin: "TLSv1.3" },
    ],
    ["mysql://u@h/d?ssl=true", {}],
    ["mysql://u@h/d?sslaccept=strict", {}],
    ["mysql://u@h/d?sslaccept=strict&sslcert=ca.pem", { caPath: "ca.pem" }],
    ["mysql://u:<PASSWORD>@h/d", {}],
    [`mysql://u:$\{PW}@h/d`, {}],
    ["mysql://u:[YOUR-PASSWORD]@h/d", {}],
    ["mysql://u:****@h/d", {}],
    ["DATABASE_URL=mysql://u@h/d", {}],
    ["DATABASE_URL='mysql://u@h/d'", {}],
    ['export DATABASE_URL="mysql://u:p@h/d"', { password: "p" }],
    ["  'mysql://u@h/d'\n", {}],
    [
      "mysql://a.root@gateway01.eu.prod.aws.tidbcloud.com/d",
      { user: "a.root", engineHint: "tidb", at: "gateway01.eu.prod.aws.tidbcloud.com:4000" },
    ],
    [
      "mysql://root@tidb.x.clusters.tidb-cloud.com/d",
      { user: "root", engineHint: "tidb", at: "tidb.x.clusters.tidb-cloud.com:4000" },
    ],
    [
      "mysql://u@tidbcloud.com.example.org/d",
      { engineHint: undefined, at: "tidbcloud.com.example.org:3306" },
    ],
  ]);
});

describe("a JDBC URL", () => {
  check([
    ["jdbc:mysql://h/d?user=u", {}],
    ["jdbc:mysql://h:4000/d?user=u&password=a@b:c", { password: "a@b:c", at: "h:4000" }],
    ["jdbc:mysql://h/d?user=u&amp;password=p%26q", { password: "p&q" }],
    ["jdbc:mysql://u:p@h/d", { password: "p" }],
    ["jdbc:mysql://h1,h2:3307/d?user=u", { at: "h1:3306,h2:3307" }],
    ["jdbc:mysql:replication://h1,h2/d?user=u", { at: "h1:3306,h2:3306" }],
    ["jdbc:mariadb://h/d?user=u&sslMode=verify-full&serverSslCert=/x/ca.pem", { caPath: "/x/ca.pem" }],
    ["jdbc:mysql://h/d?user=u&sslMode=VERIFY_IDENTITY&tlsVersions=TLSv1.2,TLSv1.3", both],
    ["jdbc:mysql://h/d?user=u&enabledTLSProtocols=TLSv1.2", only12],
    ["jdbc:mysql://h/d?user=u&enabledTLSProtocols=TLSv1,TLSv1.1,TLSv1.2", only12],
    ["jdbc:mysql://h/d?user=u&useSSL=true&requireSSL=true&verifyServerCertificate=true", {}],
    [
      "jdbc:mysql://h/d?user=u&trustCertificateKeyStoreUrl=file:ca.jks&trustCertificateKeyStorePassword=x",
      { needsCa: true },
    ],
    [
      "jdbc:mysql://h/d?user=u&trustCertificateKeyStoreUrl=file:///x/ca.pem&trustCertificateKeyStoreType=PEM",
      { caPath: "/x/ca.pem" },
    ],
    ['jdbc:mysql://h/d?user=u&enabledTLSProtocols="TLSv1.2,TLSv1.3"', both],
    ["jdbc:mysql://h/d?user=u&tlsVersions='TLSv1.2'", only12],
    ['jdbc:mysql://h/d?user=u&tlsVersions="TLSv1.2", "TLSv1.3"', both],
    ["jdbc:mysql://h/d?user=u&tlsVersions=%22TLSv1.2,TLSv1.3%22", both],
    ["jdbc:mysql://h/d?user=u&tlsVersions=[TLSv1.2,TLSv1.3]", both],
    ['jdbc:mysql://h/d?user=u&sslMode="VERIFY_IDENTITY"&useSSL="true"', {}],
    ['jdbc:mysql://h/d?user=u&password="p"', { password: '"p"' }],
    [
      "/* Replace the parameters. */\n/* version >= 8.0.28 */\n// or\njdbc:mysql://h/d?user=u&tlsVersions=TLSv1.2",
      only12,
    ],
    ['String url = "jdbc:mysql://h/d?user=u";', {}],
    [String.raw`String url = "jdbc:mysql://h/d?user=u&tlsVersions=\"TLSv1.2,TLSv1.3\"";`, both],
    ['Connection c = DriverManager.getConnection("jdbc:mysql://h/d?user=u&password=p");', { password: "p" }],
    [
      String.raw`DriverManager.getConnection( "jdbc:mysql://h/d", "u", "p\"q\\r" )`,
      { password: String.raw`p"q\r` },
    ],
    ["spring.datasource.url=jdbc:mysql://h/d?user=u&serverTimezone=UTC", {}],
  ]);
});

describe("parameters", () => {
  check([
    ["HOST=h\nUSER=u\nDATABASE=d", {}],
    [
      "TIDB_HOST='h'  # e.g. gateway01\nTIDB_PORT='4000'\nTIDB_USER='u'\nTIDB_PASSWORD='p'\nTIDB_DB_NAME='d'\nCA_PATH=''",
      { at: "h:4000", password: "p" },
    ],
    [
      "export TIDB_HOST='h'\nexport TIDB_USER='u'\nexport TIDB_PASSWORD='{password}'\nexport TIDB_DB_NAME='d'\nexport USE_SSL='true'",
      {},
    ],
    [
      "DB_CONNECTION=mysql\r\nDB_HOST=h\r\nDB_PORT=4000\r\nDB_DATABASE=d\r\nDB_USERNAME=u\r\nDB_PASSWORD=\r\nMYSQL_ATTR_SSL_CA=ca.pem",
      { at: "h:4000", caPath: "ca.pem" },
    ],
    ["DATABASE_HOST=h\nDATABASE_USER=u\nDATABASE_NAME=d\nDATABASE_ENABLE_SSL=true", {}],
    [
      "# a comment\n\nHost: h\nPort: 4000\nUsername: u\nPassword: <PASSWORD>\nDatabase: d\nCA: ca.pem",
      { at: "h:4000", caPath: "ca.pem" },
    ],
    ["HOST:\nh\nPORT:\n4000\nUSERNAME:\nu\nPASSWORD:\na:b\nDATABASE:\nd", { at: "h:4000", password: "a:b" }],
    [
      "[client]\nhost=h\nuser=u\ndatabase=d\nssl-mode=VERIFY_IDENTITY\nssl-ca=ca.pem\ntls-version=TLSv1.2",
      { ...only12, caPath: "ca.pem" },
    ],
    ["HOST=h\nUSER=u\nDATABASE=d\nPASSWORD='a#b $c \"d'", { password: 'a#b $c "d' }],
    [
      String.raw`HOST=h
USER=u
DATABASE=d
PASSWORD="a#\"b\\" # comment`,
      { password: 'a#"b\\' },
    ],
    ["HOST=h\nUSER=u\nDATABASE=d\nPASSWORD=p # comment", { password: "p" }],
    ['HOST=h\nUSER=u\nDATABASE=d\nPASSWORD="$PW"', {}],
    ["NODE_ENV=production\nDATABASE_URL='mysql://u:p@h/d?sslaccept=strict'", { password: "p" }],
    [
      "spring.datasource.url=jdbc:mysql://h/d?sslMode=VERIFY_IDENTITY\nspring.datasource.username=u\nspring.datasource.password=p",
      { password: "p" },
    ],
  ]);
});

describe("WordPress' constants", () => {
  const rest = "define('DB_NAME', 'd');\ndefine( \"DB_USER\", \"u\" );\n";
  check([
    [
      `${rest}define('DB_HOST', 'h:4000');\ndefine('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);`,
      { at: "h:4000" },
    ],
    [`${rest}define('DB_HOST', 'h');\ndefine('DB_PASSWORD', 'it\\'s $x');`, { password: "it's $x" }],
    [
      `${rest}define('DB_HOST', 'h');\ndefine('DB_PASSWORD', getenv('PW'));\ndefine('MYSQL_SSL_CA', 'ca.pem');`,
      { caPath: "ca.pem" },
    ],
    [
      `<?php\n// A comment\n${rest}define('DB_HOST', 'h');\ndefine('DB_CHARSET', 'utf8');\n$table_prefix = 'wp_';`,
      {},
    ],
  ]);
});

describe("Ruby's mysql2", () => {
  check([
    [
      "client = Mysql2::Client.new(\n  host: 'h', # the host\n  port: 4000,\n  username: 'u',\n  password: 'a: :b => nil # c',\n  database: 'd',\n  ssl_mode: :verify_identity,\n  sslca: nil\n)",
      { at: "h:4000", password: "a: :b => nil # c" },
    ],
    [
      `Mysql2::Client.new(:host => "h", :username => "u", :password => ENV['PW'], :database => "d", :sslca => "ca.pem")`,
      { caPath: "ca.pem" },
    ],
  ]);
});

describe("a command line", () => {
  check([
    ["mysql -u u -h h d", {}],
    ["mysql -uu -hh -P4000 -Dd", { at: "h:4000" }],
    ["mysql --user=u --host h --port 4000 --database=d", { at: "h:4000" }],
    [`mysql -u u -h h -p'pa"ss $x' d`, { password: 'pa"ss $x' }],
    [String.raw`mysql -u u -h h -p"pa\"s\\s" d`, { password: String.raw`pa"s\s` }],
    [String.raw`mysql -u u -h h -ppa\ s\'s d`, { password: "pa s's" }],
    [`mysql -u u -h h -p'it'"'"'s' d`, { password: "it's" }],
    ["mysql -u u -h h -pa#b d # a comment", { password: "a#b" }],
    ["mysql -u u -h h --password='p w' d", { password: "p w" }],
    ["mysql -ABpp -uu -h h d", { password: "p" }],
    ["mysql -u u -h h -p d", {}],
    ["mysql -u u -h h --password d", {}],
    ["mysql -u u -h h -p$PW d", {}],
    ['mysql -u u -h h -p"$PW" d', {}],
    ["mysql -u u -h h -p<PASSWORD> d", {}],
    ["MYSQL_PWD=p mysql -u u -h h d", { password: "p" }],
    ["$ mysql \\\n  -u u \\\n  -h h d", {}],
    ["/usr/bin/mysql -u u -h h -A -e 'SELECT 1' d", {}],
    [
      "mysql -u u -h h --ssl-mode=VERIFY_IDENTITY --ssl-ca=ca.pem --tls-version=TLSv1.2 d",
      { caPath: "ca.pem", ...only12 },
    ],
    [
      "mysql -u u -h h --ssl_mode VERIFY_IDENTITY --ssl_ca ca.pem --tls_version TLSv1.2,TLSv1.3 d",
      { caPath: "ca.pem", ...both },
    ],
    ["mysql -u u -h h --ssl-ca=/etc/ssl/certs/ca-certificates.crt d", {}],
    ["mysql -u u -h h --ssl-ca=<CA_PATH> d", { needsCa: true }],
    ["mysql -u u -h h --connect-timeout 15 --protocol=TCP d", {}],
    ["mariadb -u u -h h --ssl --ssl-verify-server-cert d", {}],
    [
      "mycli -u u -h h -p secret -D d --ssl-ca ca.pem --ssl-verify-server-cert",
      { password: "secret", caPath: "ca.pem" },
    ],
    ["mycli mysql://u@h/d", {}],
  ]);
});

describe("a Go DSN", () => {
  check([
    ["u@tcp(h)/d", {}],
    ["u:p@tcp(h:4000)/d?tls=true", { password: "p", at: "h:4000" }],
    ["u:p@s:s/w)?(d@tcp(h:4000)/d?tls=tidb&parseTime=true", { password: "p@s:s/w)?(d", at: "h:4000" }],
    ["u@tcp([::1]:4000)/d", { at: "::1:4000" }],
    ["u@tcp(h)/", { database: undefined }],
    ['db, err := sql.Open("mysql", "u:p@tcp(h:4000)/d?tls=tidb")', { password: "p", at: "h:4000" }],
    [
      'mysql.RegisterTLSConfig("x", &tls.Config{ MinVersion: tls.VersionTLS12, RootCAs: pool })\nsql.Open("mysql", "u@tcp(h)/d?tls=x")',
      { tlsMin: "TLSv1.2", needsCa: true },
    ],
    ["DSN=u:p@tcp(h)/d", { password: "p" }],
  ]);
});

describe("Python's arguments", () => {
  check([
    ["mysql.connector.connect(host='h', user='u', database='d')", {}],
    ['pymysql.connect(host="h", port=4000, user="u", passwd="p", db="d")', { password: "p", at: "h:4000" }],
    [
      String.raw`connect(host='h', user=r'u', password='p\'\\\x41\d', database='d')`,
      { password: String.raw`p'\A\d` },
    ],
    ["host='h', user='u', database='d'", {}],
    ["config = {'host': 'h', 'user': 'u', 'database': 'd', 'ssl_disabled': False}", {}],
    [
      "{'ENGINE': 'django_tidb', 'NAME': 'd', 'HOST': 'h', 'USER': 'u', 'OPTIONS': {'ssl_mode': 'VERIFY_IDENTITY', 'ssl': {'ca': 'ca.pem'}}, 'X': None}",
      { caPath: "ca.pem" },
    ],
    [
      "MySQLdb.connect(host='h', user='u', database='d', ssl_mode='VERIFY_IDENTITY', ssl={'ca': 'ca.pem'})",
      { caPath: "ca.pem" },
    ],
    [
      "connect(host='h', user='u', password=os.getenv('PW'), database='d', ssl_ca='ca.pem', ssl_verify_cert=True, ssl_verify_identity=True, tls_versions=['TLSv1.2'])",
      { caPath: "ca.pem", ...only12 },
    ],
    ["connect(host='h', user='u', password=os.environ['PW'], database='d', ssl={'ca': certifi.where()})", {}],
    ["connect(host='h', user='u', database='d', ssl_ca=os.path.join(here, 'ca.pem'))", { needsCa: true }],
    [
      "create_engine('mysql+pymysql://u:p@h/d', connect_args={'ssl': {'ca': 'ca.pem'}}, echo=True)",
      { password: "p", caPath: "ca.pem" },
    ],
  ]);
});

describe("mysql2's object", () => {
  check([
    ["{ host: 'h', user: 'u', database: 'd' }", {}],
    ['{"host":"h","port":4000,"user":"u","password":"p","database":"d"}', { password: "p", at: "h:4000" }],
    ["mysql.createConnection({ host: 'h', user: `u`, database: \"d\", /* x */ ssl: {}, }) // y", {}],
    [
      "const pool = mysql.createPool({ host: 'h', user: 'u', password: 'a\\'b\\u0041', database: 'd' });",
      { password: "a'bA" },
    ],
    [
      "{ host: 'h', user: 'u', password: process.env.PW, database: 'd', ssl: { ca: fs.readFileSync('ca.pem'), minVersion: 'TLSv1.2', rejectUnauthorized: true } }",
      { caPath: "ca.pem", tlsMin: "TLSv1.2" },
    ],
    [
      "{ host: 'h', user: 'u', database: 'd', ssl: { ca: readFileSync(\"x/ca.pem\", \"utf8\").toString(), maxVersion: 'TLSv1.2' } }",
      { caPath: "x/ca.pem", tlsMax: "TLSv1.2" },
    ],
    ["{ host: 'h', user: 'u', database: 'd', ssl: 'Amazon RDS' }", { needsCa: true }],
    ["createConnection('mysql://u:p@h/d')", { password: "p" }],
    [
      "createPool({ uri: 'mysql://u:p@h/d', ssl: { minVersion: 'TLSv1.3' } })",
      { password: "p", tlsMin: "TLSv1.3" },
    ],
    [
      "{ type: 'mysql', host: 'h', username: 'u', database: 'd', ssl: { rejectUnauthorized: true, verifyIdentity: true } }",
      {},
    ],
  ]);
});

describe("an ADO.NET string", () => {
  check([
    ["Server=h;Database=d;Uid=u", {}],
    [
      "Server=h;Port=4000;Database=d;Uid=u;Pwd=p;SslMode=VerifyFull;SslCa=ca.pem",
      { at: "h:4000", password: "p", caPath: "ca.pem" },
    ],
    ["server = h ; user id = u ; initial catalog = d ; password = p w ;", { password: "p w" }],
    ["Data Source=h;User ID=u;Password=p;Database=d", { password: "p" }],
    ["Host=h;Username=u;Database=d;", {}],
    ["Address=h;User=u;Database=d;Ssl Mode=VerifyCA;CA Certificate File=ca.pem", { caPath: "ca.pem" }],
    ["Server=h;Uid=u;Database=d;TLS Version=TLS 1.2, TLS 1.3", both],
    ["Server=h;Uid=u;Database=d;TlsVersion=Tls12", only12],
    ["Server=h1,h2:3307;Port=3308;Uid=u;Database=d", { at: "h1:3308,h2:3307" }],
    ["Server=h;Uid=u;Database=d;Protocol=Socket", {}],
    ["Server=h;Uid=u;Database=d;Certificate Store Location=None;Integrated Security=false", {}],
    [`Server=h;Uid=u;Database=d;Pwd="a;b""c'"`, { password: `a;b"c'` }],
    [`Server=h;Uid=u;Database=d;Pwd='it''s;"'`, { password: `it's;"` }],
    [`Server=h;Uid=u;Database=d;Pwd=a"b'c=d`, { password: `a"b'c=d` }],
    ["Server=h;Uid=u;Database=d;Pwd= ", {}],
    ["Server=x;Uid=y;Database=d;Server=h;Uid=u", {}],
    ["Server=h;\nUid=u;\nDatabase=d;\n", {}],
    ["Server=h;UserID=u;Password={your_password};Database=d", {}],
    [
      "Driver={MySQL ODBC 9.4 Unicode Driver};Server=h;Database=d;User=u;Password={a;}}b};SSLMODE=VERIFY_IDENTITY;Option=3",
      { password: "a;}b" },
    ],
    ["ConnectionStrings__Default='Server=h;Uid=u;Database=d;Pwd=p'", { password: "p" }],
    ["CONNECTION_STRING=Server=h;Uid=u;Database=d;Pwd=p", { password: "p" }],
    [
      String.raw`{"Logging":{},"ConnectionStrings":{"Default":"Server=h;Uid=u;Database=d;Pwd=\"a;\u0062\""}}`,
      { password: "a;b" },
    ],
    [`var cs = @"Server=h;Uid=u;Database=d;Pwd=""a;b""";`, { password: "a;b" }],
    ['builder.Services.AddMySqlDataSource("Server=h;Uid=u;Database=d");', {}],
    [
      '<add name="x" connectionString="Server=h;Uid=u;Database=d;Pwd=&quot;a&amp;b&quot;" providerName="MySqlConnector" />',
      { password: "a&b" },
    ],
  ]);
});

describe("PHP", () => {
  check([
    [
      "mysql:host=h;port=4000;dbname=d;charset=utf8mb4;user=u;password=a;;b",
      { at: "h:4000", password: "a;b" },
    ],
    ["DB_DSN='mysql:host=h;dbname=d;user=u'", {}],
    [
      "$pdo = new PDO(\"mysql:host=h;port=4000;dbname=d\", 'u', 'p\\'w', [PDO::MYSQL_ATTR_SSL_CA => '/x/ca.pem', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true]);",
      { at: "h:4000", password: "p'w", caPath: "/x/ca.pem" },
    ],
    [
      `<?php\n$host = 'h'; // the host\n$db = "d";\n$u = 'u';\n$dsn = "mysql:host=$host;dbname={$db};charset=utf8mb4";\n$options = [\\PDO::MYSQL_ATTR_SSL_CA => 'ca.pem'];\n$pdo = new \\PDO($dsn, $u, getenv('PW'), $options);`,
      { caPath: "ca.pem" },
    ],
    ["new PDO('mysql:host=h;' . 'dbname=d', username: 'u', password: $_ENV['PW'])", {}],
    [
      "PDO::connect('mysql:host=h;dbname=d', 'u', 'p', [Pdo\\Mysql::ATTR_SSL_CA => 'ca.pem'])",
      { password: "p", caPath: "ca.pem" },
    ],
    ["$c = mysqli_connect('h', 'u', 'p', 'd', 4000);", { at: "h:4000", password: "p" }],
    ['$m = new mysqli(hostname: "p:h", username: "u", database: "d");', {}],
    [
      `$c = mysqli_init();\nmysqli_options($c, MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, true);\nmysqli_ssl_set($c, NULL, NULL, "ca.pem", NULL, NULL);\nmysqli_real_connect($c, "h", "u", "a\\x41\\$", "d", 4000, NULL, MYSQLI_CLIENT_SSL);`,
      { at: "h:4000", password: "aA$", caPath: "ca.pem" },
    ],
    [
      "$m->ssl_set(NULL, NULL, '<CA_PATH>', NULL, NULL);\n$m->real_connect('h', 'u', '<PASSWORD>', 'd');",
      { needsCa: true },
    ],
    [
      "'mysql' => [\n  'driver' => 'mysql',\n  'url' => env('DB_URL'),\n  'host' => 'h',\n  'port' => '4000',\n  'database' => 'd',\n  'username' => 'u',\n  'password' => env('DB_PASSWORD', ''),\n  'unix_socket' => '',\n  'options' => [PDO::MYSQL_ATTR_SSL_CA => 'ca.pem'],\n],",
      { at: "h:4000", caPath: "ca.pem" },
    ],
    ["DriverManager::getConnection(['url' => 'pdo-mysql://u:p@h/d']);", { password: "p" }],
    [
      "return array('dsn' => 'mysql:host=h;dbname=d', 'username' => 'u', 'password' => 'p');",
      { password: "p" },
    ],
  ]);
});

describe("Rust's sqlx", () => {
  check([
    [
      'let o = MySqlConnectOptions::new()\n  .host("h")\n  .port(4000)\n  .username("u")\n  .password(&env::var("PW")?)\n  .database("d")\n  .ssl_mode(MySqlSslMode::VerifyIdentity)\n  .ssl_ca("ca.pem");',
      { at: "h:4000", caPath: "ca.pem" },
    ],
    [
      String.raw`MySqlConnectOptions::new().host("h").username("u").password("p\"w").database("d")`,
      { password: 'p"w' },
    ],
    ['let pool = MySqlPool::connect("mysql://u:p@h/d?ssl-mode=VERIFY_IDENTITY").await?;', { password: "p" }],
  ]);
});

describe("configuration files of frameworks", () => {
  check([
    ["r2dbc:mysql://u:p@h:4000/d?sslMode=VERIFY_IDENTITY", { at: "h:4000", password: "p" }],
    ["spring.r2dbc.url=r2dbc:pool:mariadb://h/d?sslMode=verify-full\nspring.r2dbc.username=u", {}],
    [
      "spring:\n  datasource:\n    url: jdbc:mysql://h/d\n    username: u\n    password: p",
      { password: "p" },
    ],
    [
      'default: &default\n  adapter: mysql2\n  encoding: utf8mb4\n\nproduction:\n  <<: *default\n  host: h\n  port: 4000\n  username: u\n  password: <%= ENV["PW"] %>\n  database: d\n  sslca: ca.pem\n  ssl_mode: verify_identity',
      { at: "h:4000", caPath: "ca.pem" },
    ],
    [
      "DATABASES = {\n  'default': {\n    'ENGINE': 'django.db.backends.mysql',\n    'NAME': 'd',\n    'USER': 'u',\n    'PASSWORD': os.environ['PW'],\n    'HOST': 'h',\n    'OPTIONS': {'ssl': {'ca': 'ca.pem'}},\n  }\n}",
      { caPath: "ca.pem" },
    ],
    ["drizzle({ connection: { host: 'h', user: 'u', database: 'd' } })", {}],
    ["new PrismaMariaDb({ host: 'h', user: 'u', password: 'p', database: 'd' })", { password: "p" }],
    ["module.exports = knex({ client: 'mysql2', connection: { host: 'h', user: 'u', database: 'd' } });", {}],
  ]);
});

describe("differences from the string get a note", () => {
  test.each([
    ["mysql://u@h/d?ssl-mode=VERIFY_CA", "ssl-mode=VERIFY_CA does not compare the host name"],
    ["{host:'h',user:'u',ssl:{rejectUnauthorized:true}}", "mysql2 verifies the chain and not the host name"],
    ["connect(host='h', user='u', ssl_verify_cert=True)", "ssl_verify_cert does not compare the host name"],
    ["mysql://u@h1,h2/d", "the first one is taken"],
    ["mysql://u:<PASSWORD>@h/d", "it is asked for"],
    ["mysql -u u -h h --ssl-ca=/etc/ssl/cert.pem", "holds the public CAs"],
    ["jdbc:mysql://h/d?user=u&tlsVersions=TLSv1,TLSv1.2", "versions before TLS 1.2"],
    ["jdbc:mysql://h/d?user=u&trustCertificateKeyStoreUrl=file:x.jks", "--ca ca.pem"],
    ["jdbc:mysql://h/d?user=u&serverTimezone=UTC&useUnicode=true", "2 setting(s)"],
    ["u@tcp(h)/d?tls=custom", "if that has RootCAs"],
    ["Server=h;Uid=u;Ssl Mode=VerifyCA", "Ssl Mode=VERIFY_CA does not compare the host name"],
    ["Server=h;Uid=u;Pooling=true;Allow User Variables=true", "2 setting(s)"],
  ])("%s", (text, note) => {
    const parsed = parseConnectionString(text);
    expect("connection" in parsed && parsed.connection.notes.join(" ")).toContain(note);
  });

  test("a string without differences has no note", () => {
    const parsed = parseConnectionString("mysql://u:p@h/d?ssl-mode=VERIFY_IDENTITY");
    expect(parsed).toMatchObject({ connection: { notes: [] } });
    const verified = "{host:'h',user:'u',ssl:{rejectUnauthorized:true,verifyIdentity:true}}";
    expect(parseConnectionString(verified)).toMatchObject({ connection: { notes: [] } });
  });
});

/**
 * The other tabs of TiDB Cloud's Connect dialog for a Dedicated cluster, as its documentation shows them.
 * https://docs.pingcap.com/tidbcloud/tidb-cloud-tls-connect-to-dedicated
 */

/** The target of a string: the cluster's name and port, the login and the database. */
export interface Target {
  host: string;
  port: number;
  user: string;
  database: string;
}

/** A tab, and whether its string names the CA's file. */
export interface Tab {
  name: string;
  namesCa: boolean;
  text: (target: Target) => string;
}

export const tabs: Tab[] = [
  {
    name: "MyCLI",
    namesCa: true,
    text: ({ host, port, user, database }) =>
      `mycli --ssl-ca=ca.pem --ssl-verify-server-cert -u ${user} -h ${host} -P ${port} -D ${database}`,
  },
  {
    name: "JDBC",
    namesCa: false,
    text: ({ host, port, user, database }) =>
      `/* Be sure to replace the parameters in the following connection string. */
/* version >= 8.0.28 */
jdbc:mysql://${host}:${port}/${database}?user=${user}&password=<your_password>&sslMode=VERIFY_IDENTITY&tlsVersions=TLSv1.2&trustCertificateKeyStoreUrl=file:<your_custom_truststore_path>&trustCertificateKeyStorePassword=<your_truststore_password>`,
  },
  {
    name: "Python",
    namesCa: true,
    text: ({ host, port, user, database }) =>
      `host="${host}", user="${user}", password="<your_password>", port=${port}, database="${database}", ssl_mode="VERIFY_IDENTITY", ssl={"ca": "ca.pem"}`,
  },
  {
    name: "Go",
    namesCa: false,
    text: ({ host, port, user, database }) => `rootCertPool := x509.NewCertPool()
pem, err := ioutil.ReadFile("ca.pem")
if err != nil {
    log.Fatal(err)
}
if ok := rootCertPool.AppendCertsFromPEM(pem); !ok {
    log.Fatal("Failed to append PEM.")
}
mysql.RegisterTLSConfig("tidb", &tls.Config{
    RootCAs:    rootCertPool,
    MinVersion: tls.VersionTLS12,
    ServerName: "${host}",
})

db, err := sql.Open("mysql", "${user}:<your_password>@tcp(${host}:${port})/${database}?tls=tidb")`,
  },
  {
    name: "Node.js",
    namesCa: true,
    text: ({ host, port, user, database }) => `var connection = mysql.createConnection({
  host: '${host}',
  port: ${port},
  user: '${user}',
  password: '<your_password>',
  database: '${database}',
  ssl: {
    ca: fs.readFileSync('ca.pem'),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true
  }
});`,
  },
  {
    name: "a URL",
    namesCa: false,
    text: ({ host, port, user, database }) =>
      `mysql://${user}:<your_password>@${host}:${port}/${database}?ssl-mode=VERIFY_IDENTITY`,
  },
];

/** Where the issuer and the gateway are. `npm start` serves its own in place of this file, with its ports. */
export const issuer = "http://127.0.0.1:8788";
export const gateway = "http://127.0.0.1:8787";
/** The first questions of the page; null if there is none. */
export const query = { name: "cities-by-country", parameters: { country: "NZ", limit: 3 } };
export const statement = {
  sql: "SELECT name, population FROM cities WHERE country_code = ? ORDER BY population DESC LIMIT 3",
  params: ["JP"],
};

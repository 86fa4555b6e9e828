/** Where the issuer and the gateway are. `npm start` serves its own in place of this file, with its ports. */
export const issuer = "http://127.0.0.1:8788";
export const gateway = "http://127.0.0.1:8787";

/** In the form in which openapi-typescript imports `typescript`. */
export { ts as default } from "@ts-morph/common";

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { OpenApiDocument } from "../../../src/openapi/document.ts";

/**
 * Recommended rules that are off:
 * - info-license: a document describes the operator's own queries, and no license of them is known.
 */
const rules = { "info-license": "off" } as const;

/** @returns what Redocly's recommended rules say of a document, errors and warnings; empty if it is clean */
export async function lintDocument(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({
    source: JSON.stringify(document, null, 2),
    absoluteRef: "openapi.json",
    config,
  });
  return problems.map(
    ({ severity, ruleId, message, location: [place] }) =>
      `${severity} ${ruleId}: ${message} at ${place && "pointer" in place ? place.pointer : ""}`,
  );
}

/**
 * @param pointer of a schema in the document, as `#/components/schemas/Problem`
 * @returns a function that says what is wrong with a value; empty if it is valid
 */
export function schemaChecker(document: OpenApiDocument): (pointer: string, value: unknown) => string[] {
  // A column may have a zero date, such as 2026-00-00. To JSON Schema `format` is an annotation, not a rule.
  const ajv = new Ajv2020({ allErrors: true, strict: false, formats: { date: /^\d{4}-\d{2}-\d{2}$/ } });
  ajv.addSchema(document, "document");
  return (pointer, value) => {
    const validate = ajv.getSchema(`document${pointer}`);
    if (!validate) throw new Error(`the document has no schema at ${pointer}`);
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  };
}

/** @returns the pointer of a part of the document */
export function pointerTo(...path: readonly string[]): string {
  return `#${path.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;
}

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. Only the keywords that the document uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  const?: unknown;
  enum?: readonly unknown[];
  default?: unknown;
  anyOf?: readonly JsonSchema[];
  allOf?: readonly JsonSchema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  contentEncoding?: string;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  additionalProperties?: boolean;
}

/** @returns the schema with null as a further value */
export function nullable(schema: JsonSchema): JsonSchema {
  const { type, anyOf, enum: values } = schema;
  return {
    ...schema,
    ...(type !== undefined && { type: [type, "null"].flat() }),
    ...(anyOf && { anyOf: [...anyOf, { type: "null" }] }),
    ...(values && { enum: [...values, null] }),
  };
}

/** @returns a schema of an object that has exactly these members, and the optional ones */
export function objectSchema(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: "object",
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

/**
 * Asks a Durable Object of ours a question in one hop.
 * @param question sent as JSON
 * @returns what it answered, as JSON; another version of the object may have answered, so its shape is not trusted
 * @throws Error when the object fails, answers no JSON, or has not answered in time
 */
export async function askObject(
  namespace: DurableObjectNamespace,
  name: string,
  question: unknown,
  timeoutMs: number,
): Promise<unknown> {
  const stub = namespace.get(namespace.idFromName(name));
  const response = await stub.fetch("https://object/", {
    method: "POST",
    body: JSON.stringify(question),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
  return await response.json();
}

/**
 * Sends one question to one of our Durable Objects, in one hop.
 * @param question sent as JSON
 * @returns the answer as parsed JSON. Check its shape: another version of the object may have answered.
 * @throws Error when the object fails, its answer is not JSON, or it does not answer in time
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

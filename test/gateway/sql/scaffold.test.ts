import { afterAll, expect, test } from "vitest";
import { makeProject } from "./scaffold-command.ts";

const project = makeProject();
afterAll(() => project.remove());

test("x", () => {
  const r = project.scaffold("--table", "notes", "--owner", "jwt.sub");
  console.log(r.status, r.stdout, r.stderr);
  console.log(project.files().map((f) => `== ${f.name}\n${f.text}`).join("\n"));
  expect(r.status).toBe(5);
});

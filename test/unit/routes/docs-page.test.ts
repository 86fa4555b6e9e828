import { describe, expect, test } from "vitest";
import { headersOf, pageOf } from "../../../src/routes/docs-page.ts";

const viewer = "0123456789abcdef";
const login = { issuer: "https://id.example.com/tenant", clientId: "docs", scope: "openid" };

describe("the page", () => {
  const html = pageOf({ viewer, login });

  test("has no script and no style of its own", () => {
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag).toContain(` src="/docs/${viewer}/`);
    expect(html).not.toMatch(/<style|style=|javascript:|\son\w+=/);
  });

  test("loads nothing from elsewhere", () => {
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(loaded).toEqual([
      "data:,",
      `/docs/${viewer}/swagger-ui.css`,
      `/docs/${viewer}/page.css`,
      `/docs/${viewer}/swagger-ui-bundle.js`,
      `/docs/${viewer}/page.js`,
    ]);
  });

  test("names the login of the policy, as text", () => {
    expect(html).toContain(
      `<body data-issuer="https://id.example.com/tenant" data-client-id="docs" data-scope="openid">`,
    );
    const clientId = `"><script>&`;
    const hostile = pageOf({ viewer, login: { ...login, clientId, scope: undefined } });
    expect(hostile).toContain(`data-client-id="&quot;&gt;&lt;script&gt;&amp;">`);
    expect(hostile).not.toContain("data-scope");
    expect(pageOf({ viewer, login: undefined })).toContain("<body>");
  });
});

describe("its Content-Security-Policy", () => {
  const policyOf = (docs: Parameters<typeof headersOf>[0]) => {
    const directives = headersOf(docs)["content-security-policy"]?.split("; ") ?? [];
    return Object.fromEntries(
      directives.map((directive) => {
        const [name = "", ...sources] = directive.split(" ");
        return [name, sources];
      }),
    );
  };

  test("allows the gateway's own files, and talk with the gateway and the issuer", () => {
    expect(policyOf({ viewer, login })).toEqual({
      "default-src": ["'none'"],
      "script-src": ["'self'"],
      "style-src": ["'self'"],
      "img-src": ["data:"],
      "connect-src": ["'self'", "https://id.example.com"],
      "form-action": ["'none'"],
      "base-uri": ["'none'"],
      "frame-ancestors": ["'none'"],
    });
  });

  test("names no issuer where there is no login", () => {
    expect(policyOf({ viewer, login: undefined })["connect-src"]).toEqual(["'self'"]);
  });
});

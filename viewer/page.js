import { finishLogin, logIn } from "./login.js";

/** Swagger UI's script defines it before this module runs. */
const { SwaggerUIBundle } = window;
/** The login of the gateway's policy: `issuer`, `clientId`, `scope`; empty if a token can only be pasted. */
const settings = { ...document.body.dataset };

/**
 * The access token, in memory only: what is in a storage or a cookie is there for every script of this origin, and
 * stays when the tab is closed. The price is another login after a reload.
 */
let token;

const part = (id) => document.getElementById(id);

part("login").addEventListener("click", () => logIn(settings).catch(showFailedLogin));
part("logout").addEventListener("click", () => forget());
part("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = part("token");
  part("token").value = "";
  void use(value.trim());
});
followColourScheme();

try {
  const fresh = await finishLogin(settings);
  if (fresh === undefined) showState();
  else await use(fresh);
} catch (error) {
  showState();
  showFailedLogin(error);
}

/** Shows what the owner of a token may ask. */
async function use(fresh) {
  showProblem();
  token = fresh;
  let response;
  let description;
  try {
    response = await fetch("/v1/openapi.json", { headers: { authorization: `Bearer ${token}` } });
    description = await response.json();
  } catch {
    forget();
    return showProblem(
      "No answer",
      "The gateway cannot be reached, or the token has characters that no token has.",
    );
  }
  if (!response.ok) {
    forget();
    return showProblem(description.title, description.detail);
  }
  showState();
  show(description);
}

function show(description) {
  part("viewer").replaceChildren();
  SwaggerUIBundle({
    // The page is the gateway's own, so its address is that of the API, behind every proxy.
    spec: { ...withCodes(description), servers: [{ url: location.origin }] },
    domNode: part("viewer").appendChild(document.createElement("div")),
    presets: [SwaggerUIBundle.presets.apis],
    // Otherwise the document would be sent to a service that validates it.
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    requestInterceptor: authorize,
    responseInterceptor: readRefusal,
  });
}

/** Names the codes of each problem in its line: page.css hides the examples of problems, which fill several screens. */
function withCodes(description) {
  const { responses = {} } = description.components ?? {};
  for (const response of Object.values(responses)) {
    const parts = response.content?.["application/problem+json"]?.schema?.allOf ?? [];
    const codes = parts.flatMap(({ properties }) => properties?.code?.enum ?? []);
    if (codes.length > 0) response.description += `: ${codes.map((code) => `\`${code}\``).join(", ")}`;
  }
  return description;
}

/** The token goes to the gateway only, whatever the document says. */
function authorize(request) {
  if (new URL(request.url, location.href).origin !== location.origin) {
    throw new Error("This page asks its own gateway only.");
  }
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } };
}

function readRefusal(response) {
  if (response.status === 401)
    showProblem("The token is no longer accepted", "Log in again, or paste another.");
  return response;
}

function forget() {
  token = undefined;
  part("viewer").replaceChildren();
  showState();
}

function showState() {
  const isKnown = token !== undefined;
  part("known").hidden = !isKnown;
  part("unknown").hidden = isKnown;
  part("login").hidden = settings.issuer === undefined;
}

function showFailedLogin(error) {
  showProblem("The login failed", error.error_description ?? error.message);
}

/** textContent, never innerHTML: what an issuer or the gateway says is text, not markup. */
function showProblem(title = "", detail = "") {
  part("problem").hidden = title === "";
  part("problem").textContent = detail ? `${title}: ${detail}` : title;
}

/** Swagger UI's dark colours are those of a class. */
function followColourScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

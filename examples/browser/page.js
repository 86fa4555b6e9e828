import { gateway, query, statement } from "./config.js";
import { finishLogin, logIn } from "./login.js";

/**
 * The access token, in memory only: what is in localStorage, sessionStorage or a cookie is there for every
 * script of this origin, and stays when the tab is closed or the browser crashes. The price is another login
 * after a reload.
 */
let token;

const part = (id) => document.getElementById(id);

part("login").addEventListener("click", () => logIn());
part("query").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask(`/v1/queries/${query.name}?${new URLSearchParams(new FormData(event.target))}`);
});
part("statement").addEventListener("submit", (event) => {
  event.preventDefault();
  const { sql, params } = event.target.elements;
  // One parameter a line; the gateway binds them, nothing is written into the text.
  const body = { sql: sql.value, params: params.value === "" ? [] : params.value.split("\n") };
  void ask("/v1/sql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
});

showQuestions();
try {
  token = await finishLogin();
  showLoggedIn();
} catch (error) {
  showLoggedIn();
  showProblem("The login failed", error.message);
}

async function ask(path, init = {}) {
  showRows({ columns: [], rows: [] });
  showProblem();
  part("headers").textContent = "";
  let response;
  let body;
  try {
    response = await fetch(gateway + path, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
    body = await response.json();
  } catch {
    // A browser says no more, be it the network or an origin that is not on the gateway's list.
    return showProblem("No answer", `${gateway} cannot be reached, or does not list ${location.origin}.`);
  }
  part("headers").textContent = ["x-request-id", "server-timing"]
    .map((name) => `${name}: ${response.headers.get(name)}`)
    .join("\n");
  if (response.ok) return showRows(body);
  if (response.status === 401) {
    token = undefined;
    showLoggedIn();
  }
  showProblem(body.title, body.detail);
}

/** The first questions, which the reader may change. */
function showQuestions() {
  if (query !== null) {
    part("query-name").textContent = query.name;
    const labels = Object.entries(query.parameters).map(([name, value]) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { name, value });
      label.append(`${name} `, input);
      return label;
    });
    part("query-parameters").replaceChildren(...labels);
    part("query").hidden = false;
  }
  const { sql, params } = part("statement").elements;
  sql.value = statement?.sql ?? "";
  params.value = (statement?.params ?? []).join("\n");
}

function showLoggedIn() {
  part("login").hidden = token !== undefined;
  part("questions").disabled = token === undefined;
}

function showProblem(title = "", detail = "") {
  part("problem").hidden = title === "";
  part("problem-title").textContent = title;
  part("problem-detail").textContent = detail;
}

/** textContent, never innerHTML: what is in the database is text, not markup. */
function showRows({ columns, rows }) {
  const line = (tag, values) => {
    const row = document.createElement("tr");
    for (const value of values) row.appendChild(document.createElement(tag)).textContent = value ?? "NULL";
    return row;
  };
  const names = columns.map(({ name }) => name);
  part("head").replaceChildren(line("th", names));
  part("rows").replaceChildren(
    ...rows.map((row) =>
      line(
        "td",
        names.map((name) => row[name]),
      ),
    ),
  );
}

// Requests to the server. What it refuses is said in words at the foot of the page.
import { decode } from "./safetensors.js";
import { element } from "./elements.js";

const BASE = "/explore/api/";
const TOAST_MS = 8000;
const UNREACHABLE = "The server does not answer. Is `minicnn explore` still running?";

/** What the server refused: `code` for programs, `message` for people. */
export class Refusal extends Error {
  constructor(status, { code = "failed", message = "Something went wrong on the server." } = {}) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
  }
}

export function toast(message) {
  const shown = element("p", { class: "toast-line" }, message);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), TOAST_MS);
}

/** A path with parameters; lists are repeated, what is null is left out. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one != null) query.append(name, one);
  }
  return query.size ? `${BASE}${path}?${query}` : BASE + path;
}

async function answered(response) {
  if (response.ok) return response;
  throw new Refusal(response.status, await response.json().catch(() => ({})));
}

/** `quiet` lists the codes that the caller deals with; all other failures are said here. */
async function request(path, { parameters, quiet = [], ...options } = {}) {
  try {
    return await answered(await fetch(address(path, parameters), options));
  } catch (error) {
    if (error.name === "AbortError" || quiet.includes(error.code)) throw error;
    toast(error instanceof Refusal ? error.message : UNREACHABLE);
    throw error instanceof Refusal
      ? error
      : new Refusal(0, { code: "unreachable", message: UNREACHABLE });
  }
}

function post(body, type, options) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { "X-CSRFToken": token, "Content-Type": type };
  return { ...options, method: "POST", body, headers };
}

/** Options of all four: {parameters: {...}, signal, quiet: ["gone"]}. */
export async function getJson(path, options) {
  return (await request(path, options)).json();
}

export async function getBinary(path, options) {
  return decode(await (await request(path, options)).arrayBuffer());
}

export async function postJson(path, value = {}, options = {}) {
  return (await request(path, post(JSON.stringify(value), "application/json", options))).json();
}

export async function postBinary(
  path,
  body,
  { type = "application/octet-stream", ...options } = {},
) {
  return decode(await (await request(path, post(body, type, options))).arrayBuffer());
}

/** Whether an error only says that a newer request has replaced this one. */
export function isAborted(error) {
  return error.name === "AbortError";
}

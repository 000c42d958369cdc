// The HTTP API as the signed-in person.

import { config } from "./config.js";
import { token } from "./session.js";

const UNREACHABLE = {
  ko: "서버에 연결할 수 없습니다. 인터넷 연결을 확인하고 다시 시도해 주세요.",
  en: "The server can't be reached. Check your connection and try again.",
};

const NOT_SIGNED_IN = { ko: "다시 로그인해 주세요.", en: "Please sign in again." };

/** The API said no, or nothing. `message` is {ko, en}; `status` 0: no answer. */
export class ApiError extends Error {
  constructor(status, code, message, detail = "") {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.sentence = message;
    this.detail = detail;
  }
}

export const get = (path, query = {}) => call("GET", path, query);
export const post = (path, body) => call("POST", path, {}, body);

async function call(method, path, query, body) {
  let answer = await send(method, path, query, body, {});
  if (answer.status === 401) answer = await send(method, path, query, body, { renew: true });
  const document = await answer.json().catch(() => null);
  if (answer.ok && document !== null) return document;
  const error = document?.error;
  throw new ApiError(answer.status, error?.code ?? "unexpected", error?.message ?? UNREACHABLE, error?.detail ?? "");
}

async function send(method, path, query, body, how) {
  const [bearer, { api_url: base }] = await Promise.all([token(how), config()]).catch(unreachable);
  if (!bearer) throw new ApiError(401, "not_signed_in", NOT_SIGNED_IN);
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null));
  const address = `${base.replace(/\/$/, "")}${path}${asked.size ? `?${asked}` : ""}`;
  const headers = { Authorization: `Bearer ${bearer}`, ...(body && { "Content-Type": "application/json" }) };
  return fetch(address, { method, headers, body: body && JSON.stringify(body), cache: "no-store" }).catch(unreachable);
}

function unreachable(error) {
  throw new ApiError(0, "unreachable", UNREACHABLE, String(error.message));
}

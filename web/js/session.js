// Who is signed in. Cognito is asked without a library: its JSON protocol is one POST.
//
// Tokens live in sessionStorage: a reload keeps them, closing the tab forgets them.

import { config } from "./config.js";
import { kept } from "./kept.js";

const tokens = kept("sessionStorage", "pawcast-session");
const EARLY = 60_000; // ms before its end at which a token is renewed
const listeners = new Set();
let session = remembered();
let renewing = null;

/** Cognito said no; `code` is its own, such as NotAuthorizedException, or Unreachable. */
export class SignInError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const onSession = (listener) => listeners.add(listener);

/** {id, email, groups} of who is signed in, or null. */
export function person() {
  if (!session) return null;
  const claims = claimsOf(session.id);
  return { id: claims.sub, email: claims.email ?? claims["cognito:username"], groups: claims["cognito:groups"] ?? [] };
}

/** Sign in; {challenge} where Cognito wants a new password first, else {}. */
export async function signIn(email, password) {
  const answer = await ask("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: { USERNAME: email, PASSWORD: password },
  });
  if (answer.ChallengeName === "NEW_PASSWORD_REQUIRED") return { challenge: { email, session: answer.Session } };
  take(answer);
  return {};
}

/** Answer the challenge of a first sign-in. */
export async function setNewPassword(challenge, password) {
  take(await ask("RespondToAuthChallenge", {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: challenge.session,
    ChallengeResponses: { USERNAME: challenge.email, NEW_PASSWORD: password },
  }));
}

/** Ask for an account; Cognito mails a code. */
export const signUp = (email, password) => ask("SignUp", {
  Username: email, Password: password, UserAttributes: [{ Name: "email", Value: email }],
});

/** Give the code that was mailed. */
export const confirmSignUp = (email, code) => ask("ConfirmSignUp", { Username: email, ConfirmationCode: code });

/** Have the code of an account that is not confirmed mailed once more. */
export const resendCode = (email) => ask("ResendConfirmationCode", { Username: email });

/** Have a code mailed with which a new password can be set. */
export const forgotPassword = (email) => ask("ForgotPassword", { Username: email });

/** Set a new password with the code that was mailed. */
export const confirmForgotPassword = (email, code, password) => ask("ConfirmForgotPassword", {
  Username: email, ConfirmationCode: code, Password: password,
});

export function signOut() {
  const refresh = session?.refresh;
  keep(null);
  if (refresh) ask("RevokeToken", { Token: refresh }).catch(() => { /* it ends by itself */ });
}

/** A token that is valid now, renewed where needed; null when nobody is signed in (any more). */
export async function token({ renew = false } = {}) {
  if (!session) return null;
  if (!renew && claimsOf(session.id).exp * 1000 - Date.now() > EARLY) return session.id;
  renewing ??= refreshed().finally(() => { renewing = null; });
  return renewing;
}

async function refreshed() {
  const { refresh } = session;
  try {
    take(await ask("InitiateAuth", { AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters: { REFRESH_TOKEN: refresh } }), refresh);
    return session.id;
  } catch (error) {
    if (error.code === "Unreachable") throw error;
    keep(null);
    return null;
  }
}

function take(answer, refresh) {
  const result = answer.AuthenticationResult;
  if (!result?.IdToken) throw new SignInError(answer.ChallengeName ?? "Unexpected", "no token");
  keep({ id: result.IdToken, refresh: result.RefreshToken ?? refresh });
}

function keep(next) {
  session = next;
  tokens.write(next && JSON.stringify(next));
  for (const listener of listeners) listener();
}

function remembered() {
  try {
    const { id, refresh } = JSON.parse(tokens.read());
    return typeof id === "string" && typeof refresh === "string" ? { id, refresh } : null;
  } catch {
    return null; // nothing, or nothing of ours
  }
}

function claimsOf(jwt) {
  try {
    const part = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (character) => character.charCodeAt(0))));
  } catch {
    return { exp: 0 };
  }
}

async function ask(operation, request) {
  const { cognito_url: url, user_pool_client_id: ClientId } = await config();
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify({ ClientId, ...request }),
    });
  } catch (error) {
    throw new SignInError("Unreachable", String(error));
  }
  const document = await answer.json().catch(() => ({}));
  if (answer.status >= 500) throw new SignInError("Unreachable", `${answer.status}`);
  if (!answer.ok) throw new SignInError(String(document.__type ?? "Unexpected").split("#").pop(), document.message ?? "");
  return document;
}

// Where this site's API and sign-in are: /config.json, which the stack (or the local server) writes.
//   {"api_url", "cognito_url", "user_pool_client_id"}

let known;

export function config() {
  known ??= fetch("config.json", { cache: "no-store" }).then((answer) => {
    if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
    return answer.json();
  });
  known.catch(() => { known = undefined; });
  return known;
}

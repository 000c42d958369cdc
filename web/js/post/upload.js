// Sends a photo to S3 with the form that the API signed, and tells how far it is.

/** S3 said no, or nothing; `refused` is true when it said no. */
export class UploadError extends Error {
  constructor(refused, message) {
    super(message);
    this.refused = refused;
  }
}

/** Upload `file`; `progress` hears the share (0 to 1) that was sent. Aborting `signal` rejects with an AbortError. */
export function upload(ticket, file, { progress, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.fields)) form.append(name, value);
  form.append("file", file); // S3 ignores what comes after the file
  // fetch() tells no progress of what is sent; this does.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) progress(event.loaded / event.total); });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new UploadError(request.status < 500, `${request.status}`));
    });
    request.addEventListener("error", () => reject(new UploadError(false, "no answer")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", ticket.url);
    request.send(form);
  });
}

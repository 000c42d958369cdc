// Sends verdicts in the background: one after another, in the order given.
//
// A session that has ended stops the sending, nothing is dropped; `resume` goes on where it stopped.

export function sender() {
  const jobs = [];
  let busy = false;

  async function run() {
    if (busy) return;
    busy = true;
    try {
      while (jobs.length) {
        const job = jobs[0];
        const outcome = await job.send().then((answer) => () => job.done(answer), (error) => {
          if (!error.sentence) throw error;
          return error.status === 401 ? null : () => job.failed(error);
        });
        if (outcome === null || jobs[0] !== job) return; // signed out, or dropped meanwhile
        jobs.shift();
        outcome();
      }
    } finally { busy = false; }
  }

  return {
    /** `send` answers a promise; then `done(answer)` or `failed(ApiError)`. */
    add(job) {
      jobs.push(job);
      run();
    },
    resume: run,
    /** Forget what is not sent: it was another person's. */
    drop: () => { jobs.length = 0; },
    waiting: () => jobs.length,
  };
}

// Asking the log that served the page, and nobody else.

/** How many answers of the log are waited for at a time, how long, and how large one may be. */
const AT_A_TIME = 6;
const PATIENCE = 30_000;
const LARGEST_ANSWER = 24 << 20;
/** The most rounds of questions: lists, entries, keys of each speaker. */
const ROUNDS = 64;

/** The log that served this page; none where it came from a disk. */
const log = /^https?:$/.test(location.protocol) ? new URL('.', location.href).href.replace(/\/$/, '') : null;

async function ask(path) {
  try {
    const answer = await fetch(`${log}/${path}`, {
      credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(PATIENCE),
    });
    return { status: answer.status, body: await bodyOf(answer) };
  } catch {
    return { status: 0, body: new Uint8Array() };
  }
}

/** The bytes of an answer, no more than one may have. */
async function bodyOf(answer) {
  const pieces = [];
  let length = 0;
  const reader = answer.body.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    length += value.length;
    if (length > LARGEST_ANSWER) {
      await reader.cancel();
      throw new Error('too large');
    }
    pieces.push(value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Asks until nothing more is needed, or until something else is to be verified. `run` gets all answers so far. */
async function rounds(run) {
  const answers = new Map();
  const mine = turn;
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = await run(answers);
    if (!result.needed) return result;
    if (mine !== turn) throw OUTDATED;
    const paths = [...result.needed];
    const next = async () => {
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) answers.set(path, await ask(path));
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, next));
  }
  throw new Error('the log leads from one question to the next without an end');
}

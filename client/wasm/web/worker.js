// The thread that verifies and hashes, so that the page stays alive. It makes no request.

let stele;
let release;
let found = null;
let stopped = false;

const now = () => Math.floor(Date.now() / 1000);

const tasks = {
  async load({ module }) {
    stele = await Stele.load(module);
    return stele.limits;
  },

  verify({ bundle, policy, remembered }) {
    forget();
    const began = performance.now();
    release = stele.verify(bundle, policy, remembered);
    return described(performance.now() - began);
  },

  ofLog({ coordinate, policy, url, answers, remembered }) {
    const result = stele.ofLog(coordinate, policy, url, answers, remembered);
    if (result.needed) return result;
    forget();
    release = result;
    return described(0);
  },

  ask({ url, answers }) {
    return release.ask(url, answers);
  },

  // Reads the files that a person chose: `files` is [{path, file}], and `lone` is whether it is one file without its folder.
  async files({ files, lone }) {
    stopped = false;
    found = null;
    const listed = files.map(({ path, file }) => [path, file.size]);
    const steps = lone ? [release.plan({ file: listed[0] })] : release.plan(listed);
    const hashed = files.filter((_, at) => steps[at].step === 'hash');
    const progress = { done: 0, total: hashed.reduce((sum, { file }) => sum + file.size, 0), path: '' };
    const read = [];
    for (const [at, { path, file }] of files.entries()) {
      progress.path = path;
      const result = await look(steps[at], path, file, progress);
      if (result) read.push(result);
    }
    found = lone ? { file: read[0] } : { files: read };
    return { memory: stele.memory };
  },

  stop() {
    stopped = true;
    return {};
  },

  judge() {
    return release.judge(found, now());
  },
};

function forget() {
  if (release) release.free();
  release = undefined;
  found = null;
}

function described(milliseconds) {
  return { release: { ...release }, milliseconds };
}

// What is found at one path, or nothing where it does not count.
async function look({ step, counts }, path, file, progress) {
  const { limits } = stele;
  try {
    if (step === 'hash') {
      const sha256 = await stele.sha256(file, (bytes) => advance(progress, bytes));
      const result = { path, size: file.size, sha256 };
      const recorded = release.files.find((known) => known.path === path);
      if (recorded && recorded.sha256 !== sha256 && file.size <= limits.differing) {
        result.cause = release.whyDiffers(path, file.size, await bytesOf(file));
      }
      return result;
    }
    if (step === 'differs') {
      const cause = file.size <= limits.differing ? release.whyDiffers(path, file.size, await bytesOf(file)) : 'unknown';
      return { path, size: file.size, cause };
    }
    if (step === 'skip') return null;
    const isRecorded = release.files.some((known) => known.path === path);
    if (step === 'name' && isRecorded) return { path, size: file.size };
    const [beginning, end] = step === 'look'
      ? [await bytesOf(file.slice(0, limits.beginning)), await bytesOf(file.slice(-limits.end))]
      : [new Uint8Array(), new Uint8Array()];
    const role = stele.role(path, file.size, beginning, end);
    // What is no file of the folder is told only where a loader would take it.
    return counts || role ? { path, role } : null;
  } catch (error) {
    if (error === STOPPED) throw error;
    if (error instanceof SteleError || error instanceof WebAssembly.RuntimeError) throw error;
    return { path, size: file.size, unusable: `the browser cannot read it: ${error.message || error.name}` };
  }
}

const STOPPED = new Error('stopped');

function advance(progress, bytes) {
  if (stopped) throw STOPPED;
  progress.done += bytes;
  postMessage({ progress: { ...progress } });
}

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

addEventListener('message', async ({ data: { id, task, ...parameters } }) => {
  try {
    postMessage({ id, result: await tasks[task](parameters) });
  } catch (error) {
    postMessage({ id, error: shown(error) });
  }
});

// A failure as the page shows it.
function shown(error) {
  if (error === STOPPED) return { stopped: true };
  if (error instanceof SteleError) return error.shown;
  const message = `the module failed in this browser: ${error.message || error}`;
  return {
    verdict: 'not-verified',
    word: 'NOT VERIFIED',
    sentence: message,
    ok: false,
    exit: 70,
    problems: [{ error: 'internal', message, hint: 'load the page again; `stele verify` does the same without a browser', exit: 70 }],
    fatal: true,
  };
}

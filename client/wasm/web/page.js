// The page: it takes what a person gives, has it verified, and shows the verdict.

const state = { policy: null, isServed: false, served: null, bundle: null, bundleName: '', files: null, lone: false, release: null, limits: null };

async function usePolicy(text, isServed) {
  state.policy = text;
  state.isServed = isServed;
  part('policy').value = text;
  const origin = part('trust-origin');
  if (isServed) {
    origin.textContent = `The policy that this log, ${log}, shows of itself. That is its own word: it is enough to see how the log works, and not to catch a log that lies. Compare it with another place where the operator or the witnesses publish it, or use your own.`;
  } else {
    origin.textContent = 'Your own policy. It is not stored: the page forgets it when it is closed.';
  }
  part('policy-served').hidden = isServed || state.served === null;
  await evaluate();
}

async function policyFrom(file) {
  const bytes = await file.slice(0, state.limits.policy + 1).arrayBuffer();
  await usePolicy(new TextDecoder().decode(bytes), false);
}

/** Files with their paths: the bundle among them is taken, and the rest is what is compared. */
async function take(chosen, isFolder) {
  const files = chosen.filter(({ path }) => isFolder ? path !== 'release.stele' : !/\.stele$/.test(path));
  const bundle = chosen.find(({ path }) => isFolder ? path === 'release.stele' : /\.stele$/.test(path));
  if (bundle) await setBundle(bundle.file);
  if (files.length > 0 || isFolder) {
    state.files = files;
    state.lone = !isFolder && files.length === 1;
  }
  const said = [];
  if (state.bundle) said.push(state.bundleName);
  if (state.files) said.push(state.files.length === 1 ? '1 file' : `${state.files.length} files`);
  part('dropped').textContent = said.length > 0 ? `Chosen: ${said.join(' and ')}. Drop others to replace them.` : 'Or drop them here.';
  await evaluate();
}

async function setBundle(file) {
  state.bundle = new Uint8Array(await file.slice(0, state.limits.bundle + 1).arrayBuffer());
  state.bundleName = file.name;
  // A link named another release.
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
}

let running = Promise.resolve();
let turn = 0;

/** Something else is verified in the meantime: its verdict is the one that is shown. */
const OUTDATED = new Error('outdated');

/** Verifies again all that is known. What was begun for something older is stopped, and its verdict is gone at once. */
function evaluate() {
  turn += 1;
  const mine = turn;
  part('result').hidden = true;
  part('verdict').replaceChildren();
  work('stop').catch(() => {});
  running = running.then(() => (mine === turn ? guarded(verifyAll) : undefined));
  return running;
}

async function guarded(run) {
  const mine = turn;
  try {
    await run();
  } catch (error) {
    part('progress').hidden = true;
    if (error === OUTDATED || mine !== turn) return;
    if (error instanceof Shown && error.document.stopped) {
      show({ word: 'NOT VERIFIED', ok: false, sentence: 'the files were not read to their end: it was stopped', problems: [] });
    } else if (error instanceof Shown) {
      show(error.document);
    } else {
      const message = `this page failed: ${error.message || error}`;
      show({ word: 'NOT VERIFIED', ok: false, sentence: message, problems: [{ error: 'internal', message, hint: 'load it again' }] });
    }
  }
}

async function verifyAll() {
  const mine = turn;
  const coordinate = decode(location.hash.slice(1));
  state.release = null;
  if (state.policy === null) {
    if (state.bundle || coordinate) {
      part('trust-details').open = true;
      show(refusal('a trust policy is missing: paste or choose one above', 'policy-missing', 'get the policy from somebody you trust, and not from where the weights came'));
    }
    return;
  }
  if (state.bundle) {
    const { release, milliseconds } = await work('verify', { bundle: state.bundle, policy: state.policy, remembered: rememberedHeads() });
    state.release = release;
    document.documentElement.dataset.milliseconds = milliseconds.toFixed(1);
  } else if (coordinate) {
    if (log === null) {
      show(refusal('a link to a release needs the log, and this copy of the page came from none', 'no-log', 'open the link at the log, or choose release.stele'));
      return;
    }
    show({ word: '', plain: true, sentence: `Asking ${log} for ${coordinate} ...`, problems: [] });
    const remembered = rememberedHeads();
    const { release } = await rounds((answers) => work('ofLog', { coordinate, policy: state.policy, url: log, answers, remembered }));
    state.release = release;
  } else {
    if (state.files) {
      show(refusal('release.stele is missing: choose it, too', 'bundle-missing', 'its publisher gives it beside the weights; a log gives it by a link to this page with the coordinate after #'));
    }
    return;
  }
  if (mine !== turn) throw OUTDATED;
  if (state.files && state.files.length > 0) {
    part('progress').hidden = false;
    showProgress({ done: 0, total: 0, path: '' });
    const { memory } = await work('files', { files: state.files, lone: state.lone });
    document.documentElement.dataset.memory = memory;
    part('progress').hidden = true;
  } else if (state.files) {
    await work('files', { files: [], lone: false });
  }
  const verdict = await work('judge');
  if (mine !== turn) throw OUTDATED;
  rememberHeads(verdict.heads);
  show(verdict);
}

function askLog() {
  const mine = turn;
  part('ask').disabled = true;
  part('asking').textContent = 'Asking ...';
  running = running.then(() => (mine === turn ? guarded(verifySince) : undefined)).then(() => {
    part('ask').disabled = false;
    part('asking').textContent = '';
  });
  return running;
}

async function verifySince() {
  const mine = turn;
  await rounds((answers) => work('ask', { url: log, answers }));
  const verdict = await work('judge');
  if (mine !== turn) throw OUTDATED;
  rememberHeads(verdict.heads);
  show(verdict);
}

function refusal(sentence, code, hint) {
  return { word: 'NOT VERIFIED', ok: false, sentence, problems: [{ error: code, message: sentence, hint }] };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function wire() {
  const picks = [['pick-bundle', 'bundle-file'], ['pick-folder', 'folder-file'], ['pick-files', 'files-file'], ['policy-pick', 'policy-file']];
  for (const [button, input] of picks) part(button).addEventListener('click', () => part(input).click());
  const chosen = (id, run) => part(id).addEventListener('change', async (event) => {
    const files = [...event.target.files];
    if (files.length > 0) await guarded(() => run(files));
    event.target.value = '';
  });
  chosen('bundle-file', ([file]) => take([{ path: 'release.stele', file }], false));
  chosen('files-file', (files) => take(files.map((file) => ({ path: file.name, file })), false));
  chosen('folder-file', (files) => take(files.map((file) => ({ path: file.webkitRelativePath.split('/').slice(1).join('/'), file })), true));
  chosen('policy-file', ([file]) => policyFrom(file));
  part('policy-use').addEventListener('click', () => usePolicy(part('policy').value, false));
  part('policy-served').addEventListener('click', () => usePolicy(state.served, true));
  part('ask').addEventListener('click', askLog);
  part('stop').addEventListener('click', () => work('stop'));
  addEventListener('hashchange', () => {
    state.bundle = null;
    evaluate();
  });
  const drop = part('drop');
  addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  addEventListener('dragleave', () => drop.classList.remove('over'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    guarded(() => dropped(event.dataTransfer));
  });
}

async function servedPolicy() {
  if (log === null) return null;
  const { status, body } = await ask('policy');
  const text = new TextDecoder().decode(body);
  // Any static host answers something at any address; what is no policy is not taken for one.
  return status === 200 && /^log \S/m.test(text) && !/^\s*</.test(text) ? text : null;
}

async function main() {
  try {
    await start();
  } catch (error) {
    part('broken').hidden = false;
    part('broken').textContent = `This browser cannot run the page: ${error.message || error}. A newer browser can; so can the program: stele verify FOLDER --policy policy`;
    return;
  }
  part('app').hidden = false;
  wire();
  state.served = await servedPolicy();
  if (state.served !== null) {
    await usePolicy(state.served, true);
  } else {
    part('trust-details').open = true;
    part('trust-origin').textContent = 'No policy is here: paste or choose the one that you have from somebody you trust, and not from where the weights came.';
    await evaluate();
  }
  document.documentElement.dataset.ready = 'yes';
}

main();

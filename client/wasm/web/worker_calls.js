// Calls to the worker, which verifies and hashes.

let worker;
let waiting = new Map();
let last = 0;

function work(task, parameters = {}) {
  last += 1;
  const id = last;
  worker.postMessage({ id, task, ...parameters });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** Something that is shown in the place of a verdict. */
class Shown extends Error {
  constructor(document) {
    super(document.sentence || 'stopped');
    this.document = document;
  }
}

function heard({ data: { id, result, error, progress } }) {
  if (progress) return showProgress(progress);
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  return error ? reject(new Shown(error)) : resolve(result);
}

async function start() {
  if (typeof WebAssembly !== 'object') throw new Error('it has no WebAssembly');
  if (typeof DecompressionStream !== 'function') throw new Error('it has no DecompressionStream');
  const source = new Blob([part('worker').textContent], { type: 'text/javascript' });
  const address = URL.createObjectURL(source);
  worker = new Worker(address);
  worker.addEventListener('message', heard);
  await Promise.race([load(), new Promise((_, reject) => worker.addEventListener('error', (event) => reject(new Error(event.message || 'its worker did not start'))))]);
  URL.revokeObjectURL(address);
}

async function load() {
  const compressed = Uint8Array.from(atob(part('module').textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('gzip'));
  state.limits = await work('load', { module: await new Response(stream).arrayBuffer() });
}

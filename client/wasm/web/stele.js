// The module as objects: bytes go in, documents come out. It does no request and keeps nothing beyond its memory.
//
//   const stele = await Stele.load(bytes);            // the .wasm file
//   const release = stele.verify(bundle, policy);     // Uint8Array or string; throws SteleError
//   release.coordinate; release.files;                // [{path, role, size, sha256}]
//   release.check([{path, size, sha256}]);            // the verdict: {ok, exit, word, sentence, problems, files}

/** Why nothing was verified: `code`, `exit`, `facts` and `hint` as in `stele --json`. */
export class SteleError extends Error {
  constructor(document, shown) {
    super(document.message);
    this.name = 'SteleError';
    this.code = document.error;
    this.exit = document.exit;
    this.facts = document.facts || {};
    this.hint = document.hint || null;
    this.shown = shown;
  }
}

/** A release whose bundle was verified under a policy. */
export class Release {
  #stele;
  #handle;

  constructor(stele, document) {
    this.#stele = stele;
    const { handle, ...description } = document;
    this.#handle = String(handle);
    Object.assign(this, description);
  }

  /** The verdict on files that were found in a folder; without a list, on the record alone. `now` is in Unix seconds. */
  check(files, now = Math.floor(Date.now() / 1000)) {
    return this.judge(files ? { files } : null, now);
  }

  /** The same for `{files: [...]}`, for `{file: {...}}`, one file that may be any of the release, and for null. */
  judge(found, now) {
    return this.#stele.call('judge', this.#handle, String(now), found ? JSON.stringify(found) : '');
  }

  /** What to do with each file of `[[path, size], ...]`, or with `{file: [path, size]}`. */
  plan(listed) {
    return this.#stele.call('plan', this.#handle, JSON.stringify(listed));
  }

  /** Why a file has other bytes than recorded, in a word. */
  whyDiffers(path, size, bytes) {
    return this.#stele.call('why_differs', this.#handle, path, String(size), bytes);
  }

  /** What became of the release by the answers of a log: `{needed: [path]}`, or `{answered: true or false}`. */
  ask(url, answers) {
    return this.#stele.call('ask', this.#handle, url, ...flat(answers));
  }

  /** Nothing is kept of it. */
  free() {
    this.#stele.call('release', this.#handle);
  }
}

/** The module. */
export class Stele {
  #exports;

  constructor(exports) {
    this.#exports = exports;
    this.limits = this.call('limits');
  }

  /** Compiles the bytes of the module. */
  static async load(bytes) {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    return new Stele(instance.exports);
  }

  /** Verifies a bundle under a policy. `remembered` are notes of tree heads that were seen before: a verdict has them in `heads.keep`. */
  verify(bundle, policy, remembered = []) {
    return new Release(this, this.call('verify', bundle, policy, JSON.stringify(remembered)));
  }

  /** The release of a coordinate by the answers of a log: `{needed: [path]}`, or a release. `answers`: path to `{status, body}`. */
  ofLog(coordinate, policy, url, answers, remembered = []) {
    const document = this.call('of_log', coordinate, policy, JSON.stringify(remembered), url, ...flat(answers));
    return document.needed ? document : new Release(this, document);
  }

  /** What a loader would take a file for that no record names, or null. */
  role(path, size, beginning, end) {
    return this.call('role', path, String(size), beginning, end);
  }

  /** SHA-256 of a Blob, a slice at a time: memory does not grow with the file. `onBytes` gets the bytes of each slice, and may throw to stop. */
  async sha256(blob, onBytes = () => {}) {
    const { hash_start, hash_update, slice, memory } = this.#exports;
    const at = slice();
    hash_start();
    for (let from = 0; from < blob.size; from += this.limits.slice) {
      const bytes = new Uint8Array(await blob.slice(from, from + this.limits.slice).arrayBuffer());
      if (bytes.length !== Math.min(this.limits.slice, blob.size - from)) throw new Error('it changed while it was read');
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      hash_update(bytes.length);
      onBytes(bytes.length);
    }
    return this.call('hash_finish');
  }

  /** The memory of the module in bytes. */
  get memory() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** One call: arguments are strings and Uint8Arrays. */
  call(name, ...values) {
    const { memory, argument, output, [name]: run } = this.#exports;
    for (const value of values) {
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      const at = argument(bytes.length);
      // The memory may have grown, and then its buffer is another.
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    }
    const length = run();
    const document = JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, output(), length)));
    if (document.error) throw new SteleError(document.error, document.shown);
    return document.ok;
  }
}

function flat(answers) {
  return [...answers].flatMap(([path, { status, body }]) => [path, String(status), body]);
}

// The tree heads that this browser has seen, in its storage for the address of the page. Each is a note that its log has signed.

const HEADS = 'stele heads';
/** The most logs that are remembered; of each there are at most sixteen notes. */
const MOST_LOGS = 16;

/** What is remembered, by the key of the log. Where there is no storage, nothing is. */
function storedHeads() {
  try {
    const stored = JSON.parse(localStorage.getItem(HEADS)) || {};
    const isList = ([, notes]) => Array.isArray(notes) && notes.every((note) => typeof note === 'string');
    return Object.entries(stored).filter(isList).slice(0, MOST_LOGS);
  } catch {
    return [];
  }
}

function rememberedHeads() {
  return storedHeads().flatMap(([, notes]) => notes);
}

/** The log that was seen last stands first; the one that was not seen for longest goes. */
function rememberHeads({ log: key, keep } = {}) {
  if (!key) return;
  const others = storedHeads().filter(([other]) => other !== key);
  try {
    localStorage.setItem(HEADS, JSON.stringify(Object.fromEntries([[key, keep], ...others].slice(0, MOST_LOGS))));
  } catch {
    // Nothing is remembered then.
  }
}

/** What is said of them, where there was one before. */
function saidOfHeads({ seen, shown, are_one_tree: areOneTree }) {
  if (!seen) return null;
  if (areOneTree) return `extends the tree of ${seen} entries that this browser has seen: computed from the log's tiles`;
  if (seen === shown) return `the tree of ${seen} entries that this browser has seen`;
  return `this browser has seen a tree of ${seen} entries; whether the two are of one tree is computed when the log is asked`;
}

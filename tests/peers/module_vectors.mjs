// The module in JavaScript, over the vectors of the format: `vectors.mjs MODULE.wasm STELE.js BUNDLES.json`. A line for each check.
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';

const [modulePath, stelePath, vectorsPath] = process.argv.slice(2);
// Its sources are those of a page: no package.json says that they are modules.
const source = await readFile(stelePath, 'utf8');
const { Stele, SteleError } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
const stele = await Stele.load(await readFile(modulePath));
const { policies, cases } = JSON.parse(await readFile(vectorsPath, 'utf8'));
let failed = 0;

function check(what, holds, found = '') {
  console.log(holds ? `ok   ${what}` : `FAIL ${what}: ${JSON.stringify(found)}`);
  if (!holds) failed += 1;
}

function verdict({ bundle, policy }) {
  try {
    return { release: stele.verify(Buffer.from(bundle, 'base64'), policies[policy]) };
  } catch (error) {
    if (!(error instanceof SteleError)) throw error;
    return { error };
  }
}

const wrong = cases.filter((vector) => {
  const { release, error } = verdict(vector);
  return vector.refuse ? error?.code !== vector.refuse : release?.entry !== vector.accept.entry;
});
check(`${cases.length} bundles of the vectors have their codes in the module`, wrong.length === 0 && cases.length > 40, wrong.map(({ comment }) => comment));

const { release } = verdict(cases.find(({ accept }) => accept));
const files = release.files.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
check('check(found) of all files is verified, with exit 0', release.check(files).exit === 0, release.check(files).sentence);
const [first, ...others] = files;
const flipped = [{ ...first, sha256: '0'.repeat(64) }, ...others];
check('one other digest differs, with exit 1', release.check(flipped).exit === 1 && release.check(flipped).files.differing[0].path === first.path, release.check(flipped));
check('one file less is incomplete, with exit 15', release.check(others).exit === 15, release.check(others).exit);
check('code beside them is unrecorded, with exit 16', release.check([...files, { path: 'modeling_x.py', role: stele.role('modeling_x.py', 3, new Uint8Array(), new Uint8Array()) }]).exit === 16);
check('a pickle of any name is weights', stele.role('notes.txt', 4, Buffer.from([0x80, 4, 0x95, 0]), new Uint8Array()) === 'weights');
check('a note is nothing that is loaded', stele.role('notes.txt', 3, Buffer.from('abc'), Buffer.from('abc')) === null);
const refused = verdict({ ...cases.find(({ refuse }) => refuse === 'quorum-missing') }).error;
check('an error has code, exit, facts and a hint', refused.exit === 4 && Boolean(refused.facts.expected) && Boolean(refused.hint), refused);
check('what is no policy is refused', (() => { try { stele.verify(new Uint8Array(), '<html>'); return ''; } catch ({ code }) { return code; } })() === 'policy-invalid');

// A megabyte and a bit, through slices of four.
const before = stele.memory;
const bytes = Buffer.alloc(9_000_001, 'stele');
const digest = await stele.sha256(new Blob([bytes]));
check('SHA-256 in slices is SHA-256', digest === createHash('sha256').update(bytes).digest('hex'), digest);
const grown = stele.memory;
await stele.sha256(new Blob([Buffer.alloc(64_000_000)]));
check('and memory does not grow with the file', stele.memory === grown && grown - before <= 8 << 20, [before, grown, stele.memory]);

const accepted = cases.filter(({ accept }) => accept);
const times = accepted.map((vector) => {
  const began = performance.now();
  verdict(vector).release.free();
  return performance.now() - began;
}).sort((a, b) => a - b);
console.log(`     a bundle verifies in ${times[times.length >> 1].toFixed(1)} ms (median of ${times.length}, the longest ${times.at(-1).toFixed(1)} ms)`);
process.exit(failed === 0 ? 0 : 1);

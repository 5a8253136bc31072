// What a person sees. All text from outside becomes text nodes.

/** How many lines of a list are shown. */
const LISTED = 200;

function showProgress({ done, total, path }) {
  part('bar').max = Math.max(total, 1);
  part('bar').value = done;
  const percent = total > 0 ? Math.floor((done / total) * 100) : 0;
  part('progress-text').textContent = `Hashing: ${percent} % of ${bytes(total)}. ${path}`;
}

function bytes(count) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  let value = count;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

function show(result) {
  const { release } = state;
  part('result').hidden = false;
  const verdict = part('verdict');
  verdict.className = `state ${result.plain || result.verdict === 'record-only' ? 'plain' : result.ok ? 'good' : 'bad'}`;
  verdict.dataset.verdict = result.verdict || 'none';
  verdict.dataset.code = result.problems[0]?.error || '';
  verdict.replaceChildren(...(result.word ? [element('strong', result.word), ' '] : []), result.sentence);
  part('problems').replaceChildren(...result.problems.map((problem) => error(problem, result)));
  const rows = [];
  for (const name of ['released', 'since', 'checked']) if (result[name]) rows.push([name, result[name]]);
  if (release) {
    rows.push(['publisher', `${release.publisher}, key ${release.key_id}`]);
    rows.push(['log', `entry ${release.entry} of ${release.log.origin}, in a tree of ${release.log.tree_size}`]);
    const seen = result.heads ? saidOfHeads(result.heads) : null;
    if (seen) rows.push(['tree', seen]);
    rows.push(['policy', state.isServed ? 'the log\'s own, as it shows it' : 'yours']);
  }
  part('facts').replaceChildren(...rows.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
  part('ask-row').hidden = !release || log === null || result.status?.source === 'log';
  const events = (result.status?.source === 'log' && result.events) || [];
  part('said').hidden = events.length === 0;
  part('events').replaceChildren(...events.slice(-LISTED).map((event) => element('li', `${event.issued_at}, entry ${event.entry}: ${event.speaker}, ${event.what}`)));
  showWitnesses(release);
  showFiles(release, result.files);
}

function error(problem, result) {
  const lines = [];
  if (problem.message !== result.sentence) lines.push(element('p', problem.message));
  const facts = Object.entries(problem.facts || {});
  if (facts.length > 0) {
    lines.push(element('dl', null, ...facts.flatMap(([name, value]) => [element('dt', name), element('dd', value)])));
  }
  if (problem.hint) lines.push(element('p', null, 'What to do: ', ...withCode(problem.hint), '.'));
  lines.push(element('p', null, 'Code: ', element('code', problem.error)));
  const made = element('div', null, ...lines);
  made.className = 'error';
  return made;
}

/** What stands between back quotes is a command. */
function withCode(text) {
  return text.split('`').map((piece, at) => (at % 2 === 1 ? element('code', piece) : piece));
}

function showWitnesses(release) {
  const lines = release ? release.witnesses.map((witness) => {
    const said = witness.cosigned
      ? `cosigned this tree head${witness.time ? ` at ${witness.time}` : ', without a time'}`
      : 'has not cosigned this tree head';
    return element('li', null, element('code', witness.name), `: ${said}`);
  }) : [];
  if (release) lines.push(element('li', release.required === 0 ? 'The policy asks for none.' : `The policy asks for at least ${release.required}.`));
  part('witnesses').replaceChildren(...lines);
  part('witnesses').previousElementSibling.hidden = lines.length === 0;
}

function showFiles(release, report) {
  part('files-details').hidden = !release;
  if (!release) return;
  const word = new Map();
  if (report) {
    for (const path of report.matching) word.set(path, 'matches');
    for (const { path, why } of report.differing) word.set(path, `DIFFERS${why ? `: ${why}` : ''}`);
    for (const path of report.missing) word.set(path, 'missing');
    for (const { path, why } of report.unusable) word.set(path, `UNUSABLE: ${why}`);
  }
  const lines = release.files.slice(0, LISTED).map(({ path, role, size }) => {
    const said = word.get(path);
    return element('li', null, element('code', path), ` (${role}, ${bytes(size)})`, ...(said ? [': ', element('strong', said)] : []));
  });
  if (release.files.length > LISTED) lines.push(element('li', `and ${release.files.length - LISTED} more`));
  for (const extra of (report ? report.extra : []).slice(0, LISTED)) {
    lines.push(element('li', null, element('code', extra), ': not in the record'));
  }
  part('files').replaceChildren(...lines);
  part('files-summary').textContent = `Files of the release: ${release.files.length}`;
}

// What is dropped on the page: files, folders that are walked, a policy.

/** A drop: folders are walked. */
async function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
  const files = [...transfer.files];
  if (entries.length === 1 && entries[0] && entries[0].isDirectory) {
    return take(await walk(entries[0]), true);
  }
  if (entries.some((entry) => entry && entry.isDirectory)) {
    const all = [];
    for (const entry of entries) {
      if (entry.isDirectory) all.push(...(await walk(entry)).map(({ path, file }) => ({ path: `${entry.name}/${path}`, file })));
      else all.push({ path: entry.name, file: await fileOf(entry) });
    }
    return take(all, true);
  }
  const policy = files.length === 1 && /^policy$|\.policy$/.test(files[0].name) ? files[0] : null;
  if (policy) return policyFrom(policy);
  return take(files.map((file) => ({ path: file.name, file })), false);
}

async function walk(folder) {
  const found = [];
  const folders = [{ entry: folder, prefix: '' }];
  while (folders.length > 0) {
    const { entry, prefix } = folders.pop();
    const reader = entry.createReader();
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) break;
      for (const one of entries) {
        if (one.isDirectory) folders.push({ entry: one, prefix: `${prefix}${one.name}/` });
        else found.push({ path: prefix + one.name, file: await fileOf(one) });
      }
    }
  }
  return found;
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

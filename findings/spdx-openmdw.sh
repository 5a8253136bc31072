#!/usr/bin/env bash
# license-expression 30.4.4 (PyPI) and spdx-expression-parse 5.0.0 with spdx-license-ids 3.0.24 (npm): the two do not agree on which
# expressions are good. The licence that was written for open models, OpenMDW-1.0, is on the SPDX list and in the npm
# package, and is unknown to the Python package, as is every `LicenseRef-`, which is what models under licences of their own must have. The
# other way round, Python takes `apache-2.0` as hubs write it (SPDX matches ids without regard to case), and npm refuses it.
#
# Who is hurt: a licence gate in one language refuses the models that a gate in the other lets pass; a publisher who validates with
# one of them writes what the other rejects.
#
# Seen 2026-11-29, Python 3.11, Node 20.20:
#   OpenMDW-1.0: Python no, npm yes; LicenseRef-acme: Python no, npm yes; apache-2.0: Python yes, npm no; Apache-2.0: both
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check license-expression==30.4.4
ids='OpenMDW-1.0 LicenseRef-acme apache-2.0 Apache-2.0'
python=$("$work/venv/bin/python" - $ids <<'PY'
import sys
from license_expression import get_spdx_licensing

licensing = get_spdx_licensing()
print(*("no" if licensing.validate(name).errors else "yes" for name in sys.argv[1:]))
PY
)
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent spdx-expression-parse@5.0.0 spdx-license-ids@3.0.24)
cat >"$work/node/parse.mjs" <<'JS'
import parse from 'spdx-expression-parse'

const holds = (name) => { try { parse(name); return 'yes' } catch { return 'no' } }
console.log(process.argv.slice(2).map(holds).join(' '))
JS
node=$(node "$work/node/parse.mjs" $ids)
printf '%s\nPython: %s\nnpm:    %s\n' "$ids" "$python" "$node"
[[ $python == 'no no yes yes' && $node == 'yes yes no yes' ]]

#!/usr/bin/env bash
# model-signing 1.1.1 (PyPI) installed with the newest sigstore that its own requirement allows on the day below (sigstore>=4.0, here
# 4.5.1) cannot be imported: it imports `OpenSSL`, and does not ask for pyOpenSSL.
#
# Who is hurt: a release job that installs the signing tool alone fails before it signs; pin pyOpenSSL beside it.
#
# Seen 2026-11-28, Python 3.11: ModuleNotFoundError: No module named 'OpenSSL'; with pyOpenSSL 26.4.0 the import works.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check model-signing==1.1.1 sigstore==4.5.1
if said=$("$work/venv/bin/python" -c 'import model_signing' 2>&1); then
    echo 'it is imported: this has changed'
    exit 1
fi
grep -o "ModuleNotFoundError: No module named 'OpenSSL'" <<<"$said"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyopenssl==26.4.0
"$work/venv/bin/python" -c 'import model_signing; print("with pyOpenSSL 26.4.0 it is imported")'

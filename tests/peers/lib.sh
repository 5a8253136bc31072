# What the scripts of this folder share: a line for each check, and the count at the end. To be sourced.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$here/.work
passed=0
failed=0

ok() {
    passed=$((passed + 1))
    printf 'ok   %s\n' "$*"
}

fail() {
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$*"
}

# accepts "what" command...: passed when the command succeeds; what it printed is shown when it does not.
accepts() {
    local what=$1 said
    shift
    if said=$("$@" 2>&1 </dev/null); then ok "$what"; else
        fail "$what: exit code $?"
        shown "$said"
    fi
}

# refuses "what" PATTERN command...: passed when the command fails and says why in words that match the pattern. A refusal
# for another reason (a missing file, a crash) is a failure of the check.
refuses() {
    local what=$1 pattern=$2 said status=0
    shift 2
    said=$("$@" 2>&1 </dev/null) || status=$?
    if [[ $status -ne 0 && $status -lt 124 ]] && grep -qE -- "$pattern" <<<"$said"; then ok "$what"; else
        fail "$what: exit code $status, expected a refusal that says /$pattern/"
        shown "$said"
    fi
}

# shown TEXT: its end, which is where programs say what went wrong.
shown() { tail -20 <<<"$1" | cut -c1-200 | sed 's/^/     /'; }

# installs "what" COMMAND PACKAGE: what a bare machine lacks; its lists of packages may be missing or old.
installs() {
    command -v "$2" >/dev/null || accepts "$1" sh -c 'apt-get update -qq; apt-get install -y -qq --no-install-recommends "$1"' sh "$3"
}

# equal "what" expected found
equal() {
    if [[ -n $2 && $2 == "$3" ]]; then ok "$1"; else fail "$1: expected '$2', found '$3'"; fi
}

# within NAME command...: runs a program that prints a line for each check, and counts its lines with ours. A program
# that ends badly without a failed check has failed all the same. Where `checks` names a file, each line is kept there with the name.
within() {
    local name=$1 said status=0
    shift
    said=$("$@" 2>&1 </dev/null) || status=$?
    grep -E '^(ok  |FAIL|    ) ' <<<"$said" || true
    grep -E '^(ok  |FAIL) ' <<<"$said" | sed "s/^/$name\t/" >>"${checks:-/dev/null}" || true
    local good bad
    good=$(grep -c '^ok   ' <<<"$said" || true)
    bad=$(grep -c '^FAIL ' <<<"$said" || true)
    passed=$((passed + good))
    failed=$((failed + bad))
    if [[ ($status -ne 0 && $bad -eq 0) || $good -eq 0 ]]; then
        fail "$name ended with exit code $status"
        shown "$said"
    fi
}

# finish NAME: the closing line, and the exit code.
finish() {
    printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
    [[ $failed -eq 0 && $passed -gt 0 ]]
}

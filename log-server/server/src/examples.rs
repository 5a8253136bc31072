//! Examples of each command, as its help and its man page show them.

use stele_command_line::VerbExamples;

/// The examples, by the words of a command. The folders are those of the operator's page.
pub(crate) const EXAMPLES: &[VerbExamples] = &[
    (
        "",
        &[
            (
                "stele-log init log --origin log.example/mine > log.vkey",
                "a new log in the folder log: key, config, policy",
            ),
            ("stele-log run log", "serve it, once witnesses stand in log/policy"),
            ("stele-log doctor log", "does everything work?"),
        ],
    ),
    (
        "init",
        &[
            ("stele-log init log --origin log.example/mine > log.vkey", "the verifier key goes to stdout"),
            (
                "stele-log init log --origin log.example/mine --claims allow-list",
                "names are claimed by those alone whom the config lists",
            ),
            (
                "stele-log init log --origin log.example/mine --objects s3://my-logs/mine --lock objects",
                "kept in a bucket instead of the folder",
            ),
        ],
    ),
    (
        "adopt",
        &[
            ("stele-log adopt log --from copy", "go on from a folder with the public files"),
            ("stele-log adopt log --from https://mirror.example/mirror/ORIGIN-HASH", "go on from what a mirror serves"),
        ],
    ),
    (
        "run",
        &[
            ("stele-log run log", "where the config says"),
            ("stele-log run log --listen 127.0.0.1:0", "on a free port, which the first line of stdout names"),
            ("stele-log run log --standby", "follow the writer on another machine, and take over when it is gone"),
        ],
    ),
    ("check", &[("stele-log check log", "all problems of config, key and policy at once; exit 7 if there are any")]),
    (
        "doctor",
        &[
            (
                "stele-log doctor log",
                "disk, entries, witnesses and the running log as well; exit 9 if something is unwell",
            ),
            ("stele-log doctor log --url https://log.example/mine", "as it is reached from outside"),
        ],
    ),
    (
        "export",
        &[
            ("stele-log export log --to /srv/log", "the public files, for a web server"),
            ("stele-log export log --to /srv/log --policy policy", "under another policy than the config's"),
            (
                "stele-log export log --to s3://my-pages/log --endpoint https://s3.example",
                "into a bucket that is served as it is",
            ),
        ],
    ),
    (
        "fsck",
        &[
            ("stele-log fsck log", "every file; exit 13 if some can be given back, 12 if some cannot"),
            ("stele-log fsck log --at-most 1000000", "a part of a large log; the next run goes on there"),
            ("stele-log fsck log --repair", "give back what follows from the entries; the log must not run"),
        ],
    ),
    (
        "verify-backup",
        &[(
            "stele-log verify-backup copy",
            "exit 0: it may be started; 12: it must not; 9: too few witnesses could be asked",
        )],
    ),
    (
        "status",
        &[
            ("stele-log status log", "size, age of the checkpoint, queue, witnesses"),
            ("stele-log status log --json", "the same for a program"),
        ],
    ),
    ("policy", &[("stele-log policy remove-witness log w2", "take the witness w2 out")]),
    (
        "policy add-witness",
        &[
            ("stele-log policy add-witness log 'witness NAME VKEY URL'", "the line that `stele-witness about` prints"),
            (
                "stele-log policy add-witness log 'witness NAME VKEY URL' --threshold 2",
                "and two of the group must cosign",
            ),
        ],
    ),
    (
        "policy remove-witness",
        &[("stele-log policy remove-witness log w2 --threshold 1", "one of those that are left must cosign")],
    ),
    ("key", &[("stele-log key list log", "the verifier keys of the log")]),
    ("key list", &[("stele-log key list log", "the verifier keys of the log")]),
    (
        "key add",
        &[
            ("stele-log key add log", "a second Ed25519 key, to take the place of the first"),
            ("stele-log key add log --type ml-dsa-44", "a key that quantum computers are not expected to forge"),
        ],
    ),
    ("key retire", &[("stele-log key retire log", "sign with the second key alone, if enough witnesses know it")]),
    (
        "freeze",
        &[
            ("stele-log freeze log", "take nothing new, from the next SIGHUP on"),
            ("stele-log freeze log --undo", "take statements again"),
        ],
    ),
    (
        "completions",
        &[(
            "stele-log completions bash > ~/.local/share/bash-completion/completions/stele-log",
            "for bash, from the next shell on",
        )],
    ),
    ("man", &[("stele-log man ~/.local/share/man/man1", "write the pages; then `man stele-log-init`")]),
    ("version", &[("stele-log version --json", "as a document")]),
];

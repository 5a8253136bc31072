//! Examples of each command, as its help and its man page show them.

use stele_command_line::VerbExamples;

/// The examples, by the words of a command. The folders are those of the documents.
pub(crate) const EXAMPLES: &[VerbExamples] = &[
    (
        "",
        &[
            ("stele-witness init w1 --name w1.example/w > w1.vkeys", "a new witness in the folder w1"),
            ("stele-witness logs add w1 --vkey \"$(cat log.vkey)\"", "whom it cosigns"),
            ("stele-witness run w1", "serve"),
        ],
    ),
    (
        "init",
        &[
            ("stele-witness init w1 --name w1.example/w > w1.vkeys", "its verifier keys go to stdout"),
            (
                "stele-witness init w2 --name witness.example/w2 --ssh-agent SHA256:FINGERPRINT",
                "the key stays in an ssh-agent",
            ),
        ],
    ),
    ("keys", &[("stele-witness keys add-mldsa w2", "a second key, of another kind")]),
    ("keys add-mldsa", &[("stele-witness keys add-mldsa w2", "beside an Ed25519 key that was alone")]),
    ("logs", &[("stele-witness logs list w1", "whom it cosigns")]),
    (
        "logs add",
        &[
            ("stele-witness logs add w1 --vkey \"$(cat log.vkey)\"", "what `stele-log init` printed"),
            (
                "stele-witness logs add w1 --vkey \"$(cat quiet.vkey)\" --pull https://log.example/",
                "a log that does not call is asked",
            ),
        ],
    ),
    ("logs list", &[("stele-witness logs list w1 --json", "for a program")]),
    (
        "logs pull",
        &[("stele-witness logs pull w1 --from https://witness-network.example/logs", "what is new in a shared list")],
    ),
    ("logs disable", &[("stele-witness logs disable w1 log.example/mine", "then SIGHUP")]),
    ("logs enable", &[("stele-witness logs enable w1 log.example/mine", "then SIGHUP")]),
    (
        "logs adopt",
        &[("stele-witness logs adopt w1 --checkpoint checkpoint", "the newest one that this witness cosigned")],
    ),
    ("bastion", &[("stele-witness bastion add w1 --host bastion.example", "for a witness behind NAT")]),
    (
        "bastion add",
        &[
            ("stele-witness bastion add w1 --host bastion.example", "prints the key hash for the bastion's operator"),
            ("stele-witness bastion add w1 --host bastion.example:8443 --ca ca.pem", "judged by roots of its own"),
        ],
    ),
    (
        "run",
        &[
            ("stele-witness run w1", "where the config says"),
            ("stele-witness run w1 --listen 127.0.0.1:0", "on a free port, which the first line of stdout names"),
        ],
    ),
    (
        "doctor",
        &[
            ("stele-witness doctor w1", "keys, clock, disk, each log, and the running witness"),
            ("stele-witness doctor w1 --url https://w1.example/", "as it is reached from outside"),
        ],
    ),
    ("evidence", &[("stele-witness evidence list w1", "is there any?")]),
    ("evidence list", &[("stele-witness evidence list w1", "a line each")]),
    ("evidence export", &[("stele-witness evidence export w1 --out evidence", "files for `stele evidence verify`")]),
    ("mirror", &[("stele-witness mirror verify m", "are the copies whole?")]),
    (
        "mirror init",
        &[(
            "stele-witness mirror init m --name mirror.example/m1 > mirror.vkeys",
            "beside the witness in the folder m",
        )],
    ),
    (
        "mirror add",
        &[
            ("stele-witness mirror add m log.example/mine", "a log that is pulled"),
            ("stele-witness mirror add m log.example/quiet --push", "a log whose entries anybody may bring"),
        ],
    ),
    ("mirror verify", &[("stele-witness mirror verify m", "every entry, every tile, every manifest")]),
    (
        "mirror adopt",
        &[("stele-witness mirror adopt m --checkpoint checkpoint", "the newest one that the mirror signed")],
    ),
    ("index", &[("stele-witness index add w1 log.example/mine", "every index entry of it is checked, then cosigned")]),
    (
        "index init",
        &[("stele-witness index init w1 --name w1.example/index > index.vkeys", "beside the witness in the folder w1")],
    ),
    ("index add", &[("stele-witness index add w1 log.example/mine", "then SIGHUP")]),
    (
        "index adopt",
        &[("stele-witness index adopt w1 --checkpoint checkpoint", "the newest one that the index cosigner signed")],
    ),
    ("about", &[("stele-witness about w1", "the first line is for a log's policy")]),
    (
        "completions",
        &[(
            "stele-witness completions bash > ~/.local/share/bash-completion/completions/stele-witness",
            "for bash, from the next shell on",
        )],
    ),
    ("man", &[("stele-witness man ~/.local/share/man/man1", "write the pages; then `man stele-witness-init`")]),
    ("version", &[("stele-witness version --json", "as a document")]),
];

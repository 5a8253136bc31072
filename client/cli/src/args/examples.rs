//! Examples of each verb, as its help and its man page show them.

use stele_command_line::VerbExamples;

/// The examples, by the words of a verb. Names and files are those of the README.
pub(super) const EXAMPLES: &[VerbExamples] = &[
    (
        "",
        &[
            (
                "stele verify ./model --policy policy",
                "are these the files that their publisher released? No network is used",
            ),
            ("stele history acme.example/tiny@1.0.0#base", "everything that was said about a release"),
            ("stele publish ./model --key publisher.pem --policy policy --claim", "put a release into the log"),
        ],
    ),
    ("key", &[("stele key new publisher.pem", "make a key")]),
    ("key new", &[("stele key new publisher.pem", "keep it out of the model's folder")]),
    ("key show", &[("stele key show second.pem > second.pub", "the public half, for who adds it to a name")]),
    (
        "claim",
        &[
            (
                "stele claim acme.example --key publisher.pem --policy policy",
                "the name belongs to this key from now on",
            ),
            (
                "stele claim acme.example --key publisher.pem --with second.pub --threshold 2",
                "two keys must agree: writes a proposal",
            ),
        ],
    ),
    ("keys", &[("stele keys list acme.example", "who holds the name?")]),
    ("keys list", &[("stele keys list acme.example", "each statement that made it so, proven")]),
    (
        "keys add",
        &[(
            "stele keys add acme.example --key publisher.pem --new second.pub",
            "a second key, before the first is lost",
        )],
    ),
    (
        "keys rotate",
        &[(
            "stele keys rotate acme.example --key second.pem --old publisher.pem --new third.pub",
            "one key for another",
        )],
    ),
    (
        "keys revoke",
        &[(
            "stele keys revoke acme.example --key second.pem --old publisher.pem --reason \"Lost.\"",
            "what it signed before stays",
        )],
    ),
    (
        "keys approve",
        &[("stele keys approve rotate-acme.example.toml --key third.pem", "on a machine without a network")],
    ),
    (
        "keys submit",
        &[("stele keys submit rotate-acme.example.toml --key second.pem", "the last signature, and into the log")],
    ),
    (
        "draft",
        &[
            (
                "stele draft ./model --publisher acme.example --model tiny --model-version 1.0.0 --variant base",
                "writes model/release.toml; what only you can decide begins with DECIDE",
            ),
            (
                "stele draft ./model --from acme.example/tiny@1.0.0#base --model-version 1.1.0",
                "the next version: what was decided goes on, and is shown with its source",
            ),
            (
                "stele draft ./adapter --preset adapter-of=acme.example/tiny@1.0.0#base --model-version 1.0.0",
                "answers for a kind of release; publisher.toml has what is alike in all of yours",
            ),
        ],
    ),
    (
        "publish",
        &[
            (
                "stele publish ./model --key publisher.pem --policy policy --claim",
                "the first time: claims the name as well",
            ),
            (
                "stele publish ./model --key publisher.pem --dry-run",
                "all problems at once, and what would be signed; sends nothing",
            ),
            (
                "stele publish ./model --key publisher.pem --oms signer.pem",
                "with model.sig beside release.stele, which the model_signing tool verifies",
            ),
        ],
    ),
    (
        "amend",
        &[
            (
                "stele amend ./model --key publisher.pem --support \"Questions: help@acme.example\" --reason \"Where to ask.\"",
                "a field by its option",
            ),
            (
                "stele amend acme.example/tiny@1.0.0#base --draft --field hosts --field lineage",
                "a form with what holds now: amend.toml",
            ),
            ("stele amend --form amend.toml --key publisher.pem", "and what it says, into the log"),
        ],
    ),
    (
        "stage",
        &[(
            "stele stage acme.example/tiny@1.0.0#base --key publisher.pem --to gated-download --since 2026-07-01 --reason \"Behind a form.\"",
            "access moved",
        )],
    ),
    (
        "supersede",
        &[(
            "stele supersede acme.example/tiny@1.0.0#base --by acme.example/tiny@1.0.1#base --key publisher.pem --reason \"Mended.\"",
            "another release replaces it",
        )],
    ),
    (
        "withdraw",
        &[
            ("stele withdraw acme.example/tiny@1.0.0#base --draft", "a form, which sends nothing: withdraw.toml"),
            ("stele withdraw --form withdraw.toml --key publisher.pem", "into the log: it cannot be taken back"),
        ],
    ),
    (
        "incident",
        &[
            ("stele incident acme.example/tiny@1.0.0#base --draft", "a form, which sends nothing: incident.toml"),
            ("stele incident --form incident.toml --as lab.example --key lab.pem", "anybody with a name may say it"),
        ],
    ),
    (
        "evaluate",
        &[
            ("stele evaluate acme.example/tiny@1.0.0#base --draft", "a form, which sends nothing: evaluation.toml"),
            (
                "stele evaluate --form evaluation.toml --as lab.example --key lab.pem",
                "what somebody else's release did",
            ),
        ],
    ),
    (
        "approve",
        &[
            ("stele approve release-1.toml", "what is to be signed, and its digest; nothing is signed"),
            (
                "stele approve release-1.toml --key boris.pem --digest 2b3c2178189703af158c1f160abb5719380dc3a5c190310a53fce8bdc38ffd45",
                "sign what has that digest, on a machine without a network",
            ),
        ],
    ),
    (
        "submit",
        &[(
            "stele submit release-1.toml --key carl.pem --digest 2b3c2178189703af158c1f160abb5719380dc3a5c190310a53fce8bdc38ffd45",
            "the last signature, and into the log",
        )],
    ),
    (
        "verify",
        &[
            ("stele verify ./model --policy policy", "a folder against its release.stele, offline"),
            ("stele verify ./model --online", "and what was said since, about the release and all it was made of"),
            (
                "stele verify oci://registry.example/acme/tiny:1.0.1",
                "an artifact of a registry, by the digests of its layers: nothing is downloaded",
            ),
        ],
    ),
    (
        "run",
        &[
            (
                "stele run --policy policy -- llama-cli -m ./model/tiny.gguf",
                "the command sees what was verified, at the paths that it knows",
            ),
            (
                "stele run --models acme/tiny --report run.json -- vllm serve acme/tiny",
                "a repository in the hub's cache; run.json says whether the exit code is the command's",
            ),
        ],
    ),
    (
        "scan",
        &[
            (
                "stele scan --also /srv/models",
                "every model in the usual places of this machine, and in a folder of yours",
            ),
            ("stele scan --locked stele.lock", "refuse what is not as --lock wrote it; for a fleet"),
            ("stele scan --log /srv/mirror", "by a folder with a log's static files: no digest leaves this machine"),
        ],
    ),
    (
        "fetch",
        &[
            ("stele fetch ./model", "renew model/release.stele, or make it where it is lost"),
            ("stele fetch acme.example/tiny@1.0.0#base", "write release.stele here"),
            ("stele fetch ./model --log /srv/mirror", "from a folder with a log's static files"),
        ],
    ),
    (
        "show",
        &[
            ("stele show ./model", "the release as a page: a folder, or a file of it"),
            ("stele show acme.example/tiny@1.0.0#base", "as it stands in the log, amendments applied"),
        ],
    ),
    (
        "history",
        &[
            ("stele history acme.example/tiny@1.0.0#base", "every statement about a release"),
            ("stele history acme.example", "and about all of a publisher's"),
            ("stele history https://huggingface.co/acme/tiny", "by the address of a repository"),
        ],
    ),
    (
        "lineage",
        &[
            ("stele lineage acme.example/tiny@1.0.0#base", "what it was made of, and what was made of it"),
            ("stele lineage ./model --mermaid", "as a flow chart"),
        ],
    ),
    (
        "resolve",
        &[
            ("stele resolve ./model/config.json", "which release is this file? A single shard is enough"),
            ("stele resolve pkg:huggingface/acme/tiny@main", "by a package URL"),
            (
                "stele resolve sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "by a digest, in lower or upper case",
            ),
        ],
    ),
    (
        "diff",
        &[
            ("stele diff ./model acme.example/tiny@1.0.0#base", "a folder's record and the release as it stands"),
            ("stele diff acme.example/tiny@1.0.0#base acme.example/tiny@1.0.1#base", "two releases"),
        ],
    ),
    (
        "inspect",
        &[
            ("stele inspect ./model/release.stele --json", "everything in it, for programs"),
            ("stele inspect ./model/release.stele --extract parts", "its standard files, in a folder"),
            (
                "stele inspect ./model/release.stele --as transparent-statement --receipt receipt.cose --output release.scitt",
                "for programs that read SCITT (RFC 9943); `stele verify` reads it as well",
            ),
        ],
    ),
    (
        "attach",
        &[
            (
                "stele attach oci://registry.example/acme/tiny:1.0.1 --release ./model/release.stele",
                "for who pulls the artifact and verifies it there",
            ),
            ("stele attach oci://registry.example/acme/tiny:1.0.1 --dry-run", "would it verify? Stores nothing"),
        ],
    ),
    (
        "push",
        &[(
            "stele push ./model oci://registry.example/acme/tiny:1.0.1",
            "the files as layers, and release.stele beside them",
        )],
    ),
    ("oms", &[("stele oms verify ./model --public-key signer.pub", "by model/model.sig, whoever's tool made it")]),
    ("oms sign", &[("stele oms sign ./model --key signer.pem", "writes model/model.sig")]),
    (
        "oms verify",
        &[
            ("stele oms verify ./model --public-key signer.pub", "by model/model.sig, whoever's tool made it"),
            (
                "stele oms verify ./model --signature model.sig --public-key signer.pub --allow-symlinks",
                "a snapshot in a Hugging Face cache",
            ),
        ],
    ),
    (
        "export",
        &[
            ("stele export ./model --as cyclonedx -o model.cdx.json", "an ML-BOM, with the proof as an attestation"),
            (
                "stele export ./model --as in-toto > model.intoto.json",
                "a statement to be signed in an envelope of yours",
            ),
        ],
    ),
    #[cfg(feature = "audit")]
    (
        "audit",
        &[
            (
                "stele audit http://127.0.0.1:8080 --policy policy --state ./audit",
                "from entry 0; the next time it goes on from there",
            ),
            (
                "stele audit ./audit --policy policy --format sarif > log.sarif",
                "any folder with a log's static files is a log",
            ),
        ],
    ),
    ("evidence", &[("stele evidence verify split-view.stele-evidence --policy policy", "does it convict anybody?")]),
    (
        "evidence verify",
        &[
            ("stele evidence verify split-view.stele-evidence --policy policy", "by the keys of a policy"),
            ("stele evidence verify split-view.stele-evidence --vkey \"$(cat log.vkey)\"", "by the log's key alone"),
        ],
    ),
    (
        "evidence show",
        &[("stele evidence show split-view.stele-evidence --extract parts", "its standard files, in a folder")],
    ),
    ("policy", &[("stele policy check policy", "what does it require?")]),
    ("policy check", &[("stele policy check policy", "could one operator alone meet it?")]),
    ("policy lint", &[("stele policy lint policy", "how many witnesses may lie or be down?")]),
    #[cfg(feature = "monitor")]
    (
        "monitor",
        &[
            ("stele monitor monitor.toml --once", "one round, and a report of it"),
            ("stele monitor monitor.toml", "rounds until SIGTERM"),
            ("stele monitor monitor.toml --self-test", "does an event reach you?"),
        ],
    ),
    #[cfg(feature = "monitor")]
    (
        "monitor report",
        &[
            (
                "stele monitor report monitor.toml --output read.stele-coverage",
                "what was read so far, for others to check",
            ),
            ("stele monitor report --check read.stele-coverage --policy policy", "does it prove what it says?"),
        ],
    ),
    #[cfg(feature = "monitor")]
    (
        "observe",
        &[
            (
                "stele observe acme.example/tiny@1.0.0#base --host https://huggingface.co/acme/tiny",
                "is the host as recorded?",
            ),
            (
                "stele observe acme.example/tiny@1.0.0#base --host https://huggingface.co/acme/tiny --key lab.pem --publisher lab.example --submit",
                "and say so, signed, in the log",
            ),
        ],
    ),
    ("config", &[("stele config", "what holds where no option says another")]),
    (
        "completions",
        &[
            (
                "stele completions bash > ~/.local/share/bash-completion/completions/stele",
                "for bash, from the next shell on",
            ),
            ("stele completions zsh > ~/.zfunc/_stele", "for zsh, with ~/.zfunc in fpath"),
        ],
    ),
    ("man", &[("stele man ~/.local/share/man/man1", "write the pages; then `man stele-verify`")]),
    ("version", &[("stele version --json", "as a document")]),
    (
        "help",
        &[
            ("stele help exit-codes", "the table of exit codes"),
            ("stele help keys add", "the help of a verb below another"),
        ],
    ),
];

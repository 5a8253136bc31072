//! What makes the program easy to live with: completions, man pages, quiet and verbose, and settings. None of it changes a verdict.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Log, Ran, Served, World, stele, stele_with};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a program of this machine prints, if it is installed.
fn run(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let both = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&both).into_owned()))
}

/// Every verb, by its words, as the help of the program lists them.
fn verbs() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut waiting = vec![Vec::<String>::new()];
    while let Some(words) = waiting.pop() {
        let help = help(&words);
        let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap();
        let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
            waiting.push([words.clone(), vec![name.to_owned()]].concat());
        }
        found.push(words);
    }
    found
}

fn help(words: &[String]) -> String {
    let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
    stele(&arguments).ok().out
}

/// The long options that a help lists.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let long = lines
        .filter_map(|line| line.split(|c: char| c.is_whitespace() || c == ',').find(|word| word.starts_with("--")));
    long.map(str::to_owned).collect()
}

#[test]
fn every_verb_has_an_example_in_its_help_and_a_man_page_with_each_of_its_options() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("man1");
    let made = stele(&["man", text(&folder), "--json"]).ok().json();
    let verbs = verbs();
    assert!(verbs.len() > 35, "{verbs:?}");
    for words in &verbs {
        let help = help(words);
        assert!(help.contains("\nExamples:\n  # "), "{words:?}: {help}");
        let name = format!("{}.1", [&["stele".to_owned()], words.as_slice()].concat().join("-"));
        assert!(made["pages"].as_array().unwrap().contains(&name.as_str().into()), "{name}: {made}");
        let page = fs::read_to_string(folder.join(&name)).unwrap();
        let shown = page.replace("\\-", "-");
        for option in options(&help) {
            assert!(shown.contains(&option), "{name} lacks {option}");
        }
        assert!(page.contains(".SH EXAMPLES\n"), "{name}");
        if let Some((well, said)) = run("mandoc", &["-T", "lint", "-W", "error", text(&folder.join(&name))]) {
            assert!(well, "{said}");
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), made["pages"].as_array().unwrap().len());
    // Without a folder it is the first page; one that cannot be written is said.
    assert_eq!(stele(&["man"]).ok().out, fs::read_to_string(folder.join("stele.1")).unwrap());
    stele(&["man", text(&folder.join("stele.1"))]).fails(10, &["the man pages cannot be written to", "hint: "]);
}

#[test]
fn what_is_no_verb_has_no_help_and_short_options_are_the_same_for_every_verb() {
    stele(&["help", "nosuch"]).fails(2, &["no help on \"nosuch\"", "`stele help` lists the verbs"]);
    stele(&["help", "key", "nosuch"]).fails(2, &["key nosuch"]);
    assert_eq!(stele(&["help", "nosuch", "--json"]).fails_json(2, "no-such-topic")["exit"], 2);
    stele(&["help", "key", "new"]).ok();
    for verb in verbs() {
        let help = help(&verb);
        assert!(!help.contains(" --output <") || help.contains("-o, --output <"), "{verb:?}: {help}");
    }
}

#[test]
fn a_word_of_the_command_line_writes_no_line_of_its_own() {
    let said = stele(&["claim", "acme.example\nhint: all is well"]).fails(2, &["hint: all is well"]).err;
    assert!(!said.lines().any(|line| line.starts_with("hint: all")), "{said}");
}

#[test]
fn an_address_without_a_scheme_is_said_to_be_taken_for_a_folder() {
    let world = World::released();
    let policy = world.at("policy");
    for log in ["127.0.0.1:9", "ftp://log.example"] {
        let asked = ["history", "acme.example", "--policy", text(&policy), "--log", log];
        stele(&asked).fails(9, &["an address begins with http:// or https://"]);
    }
}

#[test]
fn completions_complete_verbs_and_options() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stele(&["completions", shell]).ok().out;
        for word in ["verify", "lineage", "completions", "accept-incomplete-answer", "rotate"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
        let file = home.path().join(shell);
        fs::write(&file, &script).unwrap();
        for (program, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
            if let Some((well, said)) = run(program, &[check, text(&file)]).filter(|_| program == shell) {
                assert!(well, "{said}");
            }
        }
        assert_eq!(stele(&["completions", shell, "--json"]).ok().json()["script"], script.as_str());
    }
    // What bash itself makes of it.
    let complete = |words: &[&str]| {
        let script = format!(
            "source '{}'; complete -p stele >/dev/null || exit 1; COMP_WORDS=({}); COMP_CWORD={}; _stele stele '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            home.path().join("bash").display(),
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        run("bash", &["-c", &script]).unwrap()
    };
    assert_eq!(complete(&["stele", "ver"]), (true, "verify version\n".to_owned()));
    assert_eq!(complete(&["stele", "verify", "--onl"]), (true, "--online\n".to_owned()));
    assert_eq!(complete(&["stele", "keys", "rot"]), (true, "rotate\n".to_owned()));
    stele(&["completions", "tcsh"]).fails(2, &["possible values: bash, elvish, fish, powershell, zsh"]);
}

#[test]
fn quiet_leaves_the_exit_code_errors_and_documents() {
    let world = World::released();
    let model = world.model();
    let verify = |more: &[&str]| world.verify_briefly(&model, more);
    for quiet in ["-q", "--quiet"] {
        let ran = verify(&[quiet]).ok();
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    }
    let (quiet, other) = (verify(&["--json", "-q"]).ok().json(), verify(&["--json"]).ok().json());
    for part in ["schema", "verdict", "headline", "integrity", "exit"] {
        assert_eq!(quiet[part], other[part]);
    }
    stele(&["-q", "show", text(&model)]).ok().is_silent();
    stele(&["show", text(&model), "-q"]).ok().is_silent();
    fs::write(model.join("config.json"), "{}").unwrap();
    let ran = verify(&["-q"]).fails(1, &["error: ", "config.json", "hint: "]);
    assert_eq!(ran.out, "");
    // A warning is no error.
    use std::os::unix::fs::PermissionsExt as _;
    let policy = world.at("policy");
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(verify(&[]).err.contains("warning: anybody on this machine may change"));
    assert!(!verify(&["-q"]).err.contains("warning"));
    stele(&["-q", "-v", "version"]).fails(2, &["cannot be used with"]);
}

impl Ran {
    #[track_caller]
    fn is_silent(&self) {
        assert_eq!((self.out.as_str(), self.err.as_str()), ("", ""));
    }
}

#[test]
fn verbose_says_each_request_and_no_secret() {
    let mut world = World::released();
    let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
    let online = |url: &str, more: &[&str]| {
        world.verify_briefly(&world.model(), &[&["--online", "--log", url][..], more].concat())
    };
    let ran = online(&served.url, &["-v"]).ok().says(&["integrity"]);
    let requests: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("GET http://")).collect();
    let of_head = format!("GET {}/checkpoint: 200, ", served.url);
    assert!(requests.iter().any(|line| line.starts_with(&of_head) && line.contains(" bytes, ")), "{ran:#?}");
    assert!(
        requests.iter().all(|line| line.ends_with(" ms")) && requests.iter().any(|line| line.contains(": 404, ")),
        "{ran:#?}"
    );
    assert!(!online(&served.url, &[]).ok().err.contains("GET "), "only who asks is told");
    // Nobody was asked, and nothing is said of requests.
    assert!(!world.verify_briefly(&world.model(), &["-v"]).ok().err.contains("GET "));

    let with_secret = served.url.replace("http://", "http://me:hunter2@");
    let ran = online(&with_secret, &["-v"]);
    assert!(ran.err.contains("GET http://***@127.0.0.1"), "{ran:#?}");
    for more in [&["-v"][..], &["-v", "--json"], &[]] {
        let ran = online(&with_secret, more);
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{ran:#?}");
    }
    // Nor where nobody answers.
    let ran = online("http://me:hunter2@127.0.0.1:1", &["-v"]).fails(9, &["no answer (unreachable)"]);
    assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{ran:#?}");
    let ran = online("http://127.0.0.1:1/\u{1b}[2J", &["-v"]);
    assert!(!ran.err.contains('\u{1b}'), "{ran:#?}");
}

/// A released model, and a user with a folder of configurations.
struct User {
    world: World,
    config: PathBuf,
}

impl User {
    fn with(settings: &str) -> Self {
        let world = World::released();
        let config = world.at("config");
        fs::create_dir_all(config.join("stele")).unwrap();
        let user = Self { world, config };
        user.set(settings);
        user
    }

    fn set(&self, settings: &str) {
        fs::write(self.config.join("stele/config.toml"), settings).unwrap();
    }

    fn stele(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let state = self.world.at("state");
        let own = [("XDG_CONFIG_HOME", text(&self.config)), ("STELE_STATE", text(&state))];
        stele_with(arguments, &[&own[..], environment].concat())
    }

    fn verify(&self, more: &[&str], environment: &[(&str, &str)]) -> Ran {
        self.stele(&[&["verify", text(&self.world.model())], more].concat(), environment)
    }
}

#[test]
fn an_option_overrides_the_environment_and_that_overrides_the_file() {
    let user = User::with("policy = \"../../policy\"\n");
    let policy = user.world.at("policy");
    user.verify(&[], &[]).ok().says(&["verified"]);
    user.verify(&[], &[("STELE_POLICY", "none")]).fails(6, &["nothing at none"]);
    user.verify(&["--policy", text(&policy)], &[("STELE_POLICY", "none")]).ok();
    user.verify(&["--policy", "none"], &[]).fails(6, &["nothing at none"]);

    user.set("policy = \"none\"\nmax-age = \"1h\"\n");
    user.verify(&[], &[]).fails(6, &["stele/none"]);
    user.verify(&["--policy", text(&policy)], &[]).fails(4, &[]);
    user.verify(&["--policy", text(&policy), "--max-age", "5000w"], &[]).ok();
}

#[test]
fn a_key_of_the_file_signs_where_a_key_must_and_nowhere_else() {
    let user = User::with("key = \"mine.pem\"\nlog = \"http://127.0.0.1:1\"\n");
    let key = user.config.join("stele/mine.pem");
    let coordinate = "acme.example/tiny@1.0.2#instruct";
    let missing = format!("no key file {}", key.display());
    let publish = ["publish", text(&user.world.model()), "--dry-run"].map(str::to_owned);
    let publish: Vec<&str> = publish.iter().map(String::as_str).collect();
    for arguments in [
        &publish[..],
        &["stage", coordinate],
        &["keys", "revoke", "acme.example", "--old", "a"],
        &["claim", "acme.example"],
    ] {
        let ran = user.stele(arguments, &[]);
        assert!([6, 7].contains(&ran.code) && ran.err.contains(&missing), "{arguments:?}: {ran:#?}");
    }
    // A form needs no key, and an observation is signed where that is asked for.
    user.stele(&["withdraw", coordinate, "--draft", "-o", "-"], &[]).ok().says(&["DECIDE"]);
    let observed = user.stele(&["observe", coordinate, "--host", "https://huggingface.co/acme/tiny"], &[]);
    assert!(!observed.err.contains("mine.pem"), "{observed:#?}");
    // Without the file it is demanded.
    user.set("");
    user.stele(&["stage", coordinate], &[]).fails(2, &["which key is to sign?", "--key FILE"]);
}

#[test]
fn a_file_that_sets_what_is_unknown_or_weakens_a_verdict_stops_every_verb_that_judges() {
    let user = User::with("policy = \"../../policy\"\n");
    for (settings, code) in [
        ("polcy = \"p\"\n", "config-unknown-key"),
        ("accept-incomplete-answer = true\n", "config-weakens"),
        ("allow_extra = [\"**\"]\n", "config-weakens"),
        ("accept = \"withdrawn\"\n", "config-weakens"),
        ("max-age = 3\n", "config-bad-value"),
        ("policy", "config-malformed"),
    ] {
        user.set(settings);
        let ran = user.verify(&["--json"], &[]).fails(7, &[]).json();
        assert_eq!((&ran["error"], &ran["exit"], &ran["ok"]), (&code.into(), &7.into(), &false.into()), "{settings}");
        for arguments in [&["config"][..], &["publish"], &["show", "x"]] {
            user.stele(arguments, &[]).fails(7, &["config.toml", "hint: "]);
        }
        // What says how the program is used answers all the same.
        for arguments in [&["version"][..], &["help", "verify"], &["completions", "bash"], &["--help"]] {
            user.stele(arguments, &[]).ok();
        }
    }
    user.set("unheard = 1\npolicy = \"p\"\nof = 2\n");
    user.verify(&[], &[]).fails(7, &["expected: policy, log, key, wait, max-age, expect", "of, unheard"]);
    fs::remove_file(user.config.join("stele/config.toml")).unwrap();
    fs::create_dir(user.config.join("stele/config.toml")).unwrap();
    user.verify(&[], &[]).fails(7, &["is a folder"]);
}

#[test]
fn config_shows_each_value_and_where_it_comes_from() {
    let user = User::with("log = \"https://me:hunter2@log.example\"\nwait = \"5m\"\n");
    let shown = user.stele(&["config"], &[]).ok().says(&[
        "log             https://***@log.example",
        "from the file",
        "wait            5m",
        "max-age         not set: evidence of any age",
        "from its usual place, where nothing is",
        "from $STELE_STATE",
        "config/stele/config.toml",
        "an option overrides the environment",
    ]);
    assert!(!shown.out.contains("hunter2"));
    user.stele(&["config"], &[("STELE_POLICY", "/p")])
        .ok()
        .says(&["policy          /p\n                  from $STELE_POLICY"]);
    let json = user.stele(&["config", "--json"], &[("STELE_POLICY", "/p")]).ok().json();
    assert_eq!(
        (&json["schema"], &json["ok"], &json["file_is_there"]),
        (&"stele/config@v1".into(), &true.into(), &true.into())
    );
    let settings = json["settings"].as_array().unwrap();
    assert_eq!(settings[0], serde_json::json!({ "name": "policy", "value": "/p", "from": "$STELE_POLICY" }));
    assert_eq!(settings.len(), 8);
    // Help says what holds.
    user.stele(&["stage", "--help"], &[]).ok().says(&["[default: 5m]"]);
    fs::remove_file(user.config.join("stele/config.toml")).unwrap();
    user.stele(&["config"], &[]).ok().says(&["not there", "wait            60s"]);
}

//! `cargo quickstart [FOLDER] [--keep DIR]`: the whole job on one machine, step by step, with the commands a person types.
//!
//! A log and three witnesses run as processes of their own; a publisher releases a model; the log is stopped; a downloader
//! verifies the folder offline; one flipped byte and a silent swap are refused. It ends with 0 only if every step
//! behaved as it says.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use stele_harness::command::{Told, quoted};
use stele_harness::network::{Home, Network};
use stele_harness::publisher::Publisher;
use stele_harness::{binaries, interrupt, process};
use stele_probe::failure::{During, Failure, Step};
use stele_samples::{model, release_toml};

const USAGE: &str = "usage: cargo quickstart [FOLDER] [--keep DIR]

  FOLDER      a model folder to release; it is not touched, a copy is. Without it a small model is generated
  --keep DIR  leave the network's data in DIR (new or empty) and say how to start it again
";

/// Who releases in this story.
const PUBLISHER: &str = "acme.example";
const VERSION: &str = "1.0.0";

fn main() -> ExitCode {
    let options = match Options::parse(env::args_os().skip(1).map(PathBuf::from)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprint!("error: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let (started, home) = mpsc::channel();
    let (finished, outcome) = mpsc::channel();
    let interrupted = finished.clone();
    thread::spawn(move || {
        interrupt::wait();
        let _ = interrupted.send(Outcome::Interrupted);
    });
    thread::spawn(move || {
        let _ = finished.send(Outcome::Done(tour(&options, &started)));
    });
    match outcome.recv() {
        Ok(Outcome::Done(Ok(()))) => ExitCode::SUCCESS,
        Ok(Outcome::Done(Err(failure))) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
        Ok(Outcome::Interrupted) | Err(_) => {
            process::kill_all();
            if let Ok(temporary) = home.try_recv() {
                let _ = fs::remove_dir_all(temporary);
            }
            eprintln!("\ninterrupted: every process is stopped and temporary files are removed");
            ExitCode::from(130)
        }
    }
}

enum Outcome {
    Done(Step),
    Interrupted,
}

struct Options {
    folder: Option<PathBuf>,
    keep: Option<PathBuf>,
}

impl Options {
    /// `None` asks for help.
    fn parse(mut arguments: impl Iterator<Item = PathBuf>) -> Result<Option<Self>, String> {
        let mut options = Self { folder: None, keep: None };
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("-h" | "--help") => return Ok(None),
                Some("--keep") => options.keep = Some(arguments.next().ok_or("--keep needs a folder")?),
                Some(flag) if flag.starts_with('-') => return Err(format!("there is no option {flag}")),
                _ if options.folder.is_some() => return Err("more than one folder".into()),
                _ => options.folder = Some(argument),
            }
        }
        Ok(Some(options))
    }
}

/// `started` gets the temporary folder, so that an interrupt can remove it.
fn tour(options: &Options, started: &mpsc::Sender<PathBuf>) -> Step {
    if let Some(folder) = options.folder.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!("{} is not a folder", folder.display())));
    }
    let home = match &options.keep {
        Some(keep) => Home::kept(keep)?,
        None => Home::temporary()?,
    };
    if options.keep.is_none() {
        let _ = started.send(home.path().to_path_buf());
    }
    println!("Stele on one machine: a log, three witnesses, a publisher and a downloader.");
    println!("Building what is needed (the first time takes a while) ...");
    let programs = binaries::folder()?;
    let page = Page { home: home.path().to_path_buf() };
    println!("The programs are in {}; everything below happens in\n  cd {}", programs.display(), home.path().display());

    page.step(1, "A log and three witnesses, each with a fresh key, each a process of its own");
    let mut network = Network::start_in(home, 3, 2)?;
    for line in network.commands().iter().chain(&network.start_commands()) {
        page.command(line);
    }
    page.say("The policy says whom a downloader trusts: this log, if two of these three witnesses cosigned its tree.");
    page.quote(&network.policy());

    page.step(2, "A publisher makes a key");
    let (publisher, told) = Publisher::with_key(&network, PUBLISHER, "publisher.pem")?;
    page.told(&told);

    page.step(3, "The model");
    let folder = network.at("model");
    match &options.folder {
        Some(given) => {
            let snapshot = snapshot_of(given);
            model::copy_or_link(snapshot.as_ref().unwrap_or(given), &folder)?;
            // A draft never overwrites, and the record of another release is none of this one.
            for ours in [release_toml::FILE, "release.stele"] {
                let _ = fs::remove_file(folder.join(ours));
            }
            page.say(&format!("{} is left as it is: its files are copied or linked into model/.", given.display()));
            page.say("What follows is a rehearsal: it signs decisions that nobody made, with a key that nobody knows.");
        }
        None => {
            model::write(&folder, 1)?;
            page.say(
                "A small real one is generated: a config, a tokenizer, two safetensors shards, a licence and a card.",
            );
        }
    }

    page.step(4, "A draft of the release: what the folder says is filled in, what a person must decide is left open");
    page.told(&publisher.draft(&folder, VERSION)?.expect(0)?);
    let decided = release_toml::complete(&folder.join(release_toml::FILE))?;
    page.say(&format!("A person would now open model/{} and decide. For this tour it is decided:", release_toml::FILE));
    page.quote(&decided.join("\n"));

    page.step(5, "Sign, submit, wait until the witnesses have cosigned, and write release.stele beside the weights");
    page.told(&publisher.publish(&folder)?.expect(0)?);
    expect(folder.join("release.stele").is_file(), "release.stele lies beside the weights")?;

    page.step(6, "The log stops. A downloader verifies the folder: offline, with the policy and nothing else");
    network.log.stop()?;
    page.told(&publisher.verify(&folder)?.expect(0)?);

    page.step(7, "One flipped bit, in a copy");
    let flipped = network.at("model-flipped");
    model::copy_or_link(&folder, &flipped)?;
    let damaged = model::largest_weights(&flipped)?;
    model::flip_one_bit(&damaged)?;
    page.say(&format!("One bit in the middle of {} is changed.", page.short(&damaged)));
    let told = publisher.verify(&flipped)?.expect(1)?;
    page.told(&told);
    let name = damaged.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    expect(told.all().contains(&name), "the refusal names the file")?;

    page.step(8, "A silent swap: other weights under the same coordinate");
    network.start_log()?;
    page.command(&network.log.line());
    let swapped = network.at("model-swapped");
    if options.folder.is_some() {
        model::copy_or_link(&flipped, &swapped)?;
    } else {
        model::write(&swapped, 2)?;
        let draft = release_toml::FILE;
        fs::copy(folder.join(draft), swapped.join(draft)).during("copying release.toml")?;
    }
    let _ = fs::remove_file(swapped.join("release.stele"));
    // In a small file the bit was one of its header, and no reader takes it for what its name says.
    let as_it_is: &[&str] = if options.folder.is_some() { &["--allow-file", &name] } else { &[] };
    let told = publisher.publish_with(&swapped, as_it_is)?.expect(8)?;
    page.told(&told);
    expect(told.all().contains("coordinate-bound") || told.all().contains("bound to"), "the log names the binding")?;
    expect(!swapped.join("release.stele").exists(), "a refused release leaves no release.stele")?;
    page.say(
        "The log answered 409 with the entry that stands, and its proof: the first release is what everybody sees.",
    );

    network.stop()?;
    page.end(options, &network, programs)
}

/// Of a repository in a cache of the hub's client the files of its branch `main`.
fn snapshot_of(repository: &Path) -> Option<PathBuf> {
    let commit = fs::read_to_string(repository.join("refs/main")).ok()?;
    Some(repository.join("snapshots").join(commit.trim())).filter(|snapshot| snapshot.is_dir())
}

/// Where it is told.
struct Page {
    home: PathBuf,
}

impl Page {
    fn step(&self, number: u32, title: &str) {
        println!("\n{number}. {title}");
    }

    fn command(&self, line: &str) {
        println!("   $ {}", self.relative(line));
    }

    fn say(&self, text: &str) {
        println!("   {text}");
    }

    fn quote(&self, text: &str) {
        for line in text.lines() {
            println!("   | {}", self.relative(line));
        }
    }

    fn told(&self, told: &Told) {
        self.command(&told.line);
        self.quote(&told.stdout);
        self.quote(&told.stderr);
        if told.code != Some(0) {
            println!("   (exit code {})", told.code.unwrap_or(-1));
        }
    }

    fn short(&self, path: &Path) -> String {
        self.relative(&path.display().to_string())
    }

    fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.home.display()), "")
    }

    fn end(&self, options: &Options, network: &Network, programs: &Path) -> Step {
        println!("\nEvery step behaved as it says.");
        if options.keep.is_some() {
            println!("\nTo start the network again, each in a terminal of its own:");
            println!("  cd {} && export PATH={}:$PATH", quoted(&self.home.display().to_string()), programs.display());
            for line in network.start_commands() {
                println!("  {}", self.relative(&line));
            }
            println!("Then:\n  stele verify model --policy policy\n  stele show model/release.stele");
        } else {
            println!("Its files are removed now; `cargo quickstart --keep DIR` leaves them and says how to go on.");
        }
        println!(
            "\nNext: rehearse with a model of your own, `cargo quickstart FOLDER`; then read README.md: the path of a"
        );
        println!("publisher, of a downloader and of an auditor, five minutes each.");
        Ok(())
    }
}

fn expect(holds: bool, what: &str) -> Step {
    if holds { Ok(()) } else { Err(Failure::new(format!("expected that {what}; it is not so"))) }
}

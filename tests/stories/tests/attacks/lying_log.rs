//! A log signs two histories and shows one to each half of the world. What honest witnesses make of it, whatever the order in which it
//! asks them; what one of them can prove to a stranger; and how many lying witnesses a policy bears, by `stele policy lint`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::lying_log::LyingLog;
use stele_harness::network::{Home, path};
use stele_harness::process::Server;
use stele_probe::failure::{During, Step};
use stele_probe::http;
use stele_samples::statements::Speaker;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour, Rollback};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_spec::policy::Policy;
use witness_conformance::body::Request;
use witness_conformance::logs::{Branch, Role, Seed, TestLog};

/// Three honest witnesses, each a process of its own.
struct Witnesses {
    servers: Vec<Server>,
    vkeys: Vec<String>,
    home: Home,
}

impl Witnesses {
    /// That cosign these logs.
    fn of(logs: &[String]) -> Step<Self> {
        let home = Home::temporary()?;
        let list: String = logs.iter().map(|vkey| format!("vkey {vkey}\n")).collect();
        fs::write(home.path().join("logs"), format!("logs/v0\n{list}")).during("writing a list")?;
        let (mut servers, mut vkeys) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            let folder = home.path().join(format!("w{number}"));
            let folder = path(&folder)?;
            let list = home.path().join("logs");
            command::run(Binary::Witness, ["init", folder, "--name", &format!("w{number}.example")])?.expect(0)?;
            command::run(Binary::Witness, ["logs", "pull", folder, "--from", path(&list)?])?.expect(0)?;
            let about = command::run(Binary::Witness, ["about", folder])?.expect(0)?;
            vkeys.push(about.stdout.lines().find_map(|line| line.strip_prefix("vkey: ")).unwrap().to_owned());
            let arguments = ["run", folder].map(Into::into).to_vec();
            let messages = home.path().join(format!("messages-{number}"));
            let mut server = Server::new(&format!("w{number}"), Binary::Witness.path()?, arguments, messages);
            server.start()?;
            servers.push(server);
        }
        Ok(Self { servers, vkeys, home })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A policy that trusts a log if so many of these keys have cosigned.
    fn policy(log: &str, needed: usize, vkeys: &[String]) -> String {
        let witnesses: String =
            (1..).zip(vkeys).map(|(number, vkey): (usize, _)| format!("witness w{number} {vkey}\n")).collect();
        let names: Vec<String> = (1..=vkeys.len()).map(|number| format!("w{number}")).collect();
        format!("log {log}\n{witnesses}group some {needed} {}\nquorum some\n", names.join(" "))
    }

    /// The evidence that a witness keeps: origin, and whether it is proof.
    fn evidence(&self, number: usize) -> Step<Vec<(String, bool)>> {
        let folder = self.at(&format!("w{number}"));
        let told = command::run(Binary::Witness, ["evidence", "list", path(&folder)?, "--json"])?.expect(0)?.json()?;
        let each = told["evidence"].as_array().unwrap().iter();
        Ok(each.map(|one| (one["origin"].as_str().unwrap().to_owned(), one["proof"].as_bool().unwrap())).collect())
    }

    /// Everything that a witness can prove, as files.
    fn export(&self, number: usize) -> Step<Vec<PathBuf>> {
        let (folder, out) = (self.at(&format!("w{number}")), self.at(&format!("evidence-of-{number}")));
        let arguments = ["evidence", "export", path(&folder)?, "--out", path(&out)?];
        command::run(Binary::Witness, arguments)?.expect(0)?;
        let mut files: Vec<_> =
            fs::read_dir(&out).during("listing evidence")?.map(|file| file.unwrap().path()).collect();
        files.sort();
        Ok(files)
    }
}

/// What the log got for one of its histories.
#[derive(Clone, Debug, Default)]
struct Got {
    lines: Vec<String>,
    refused: bool,
}

/// A log asks a witness for a history's head as an honest log would: from nothing, and again from the size that it is told.
fn ask(witness: SocketAddr, seed: Seed, branch: Branch, size: u64) -> Step<Got> {
    let mut log = TestLog::new(seed, Role::Main)?;
    let mut old = 0;
    for _ in 0..3 {
        let proof = log.proof(branch, old, size)?;
        let request = Request::of(&mut log, branch, old, size, proof)?;
        let answer = http::post(witness, "/add-checkpoint", "text/plain", request.to_string().as_bytes())?;
        match answer.status {
            200 => return Ok(Got { lines: vec![answer.text()], refused: false }),
            409 => old = answer.text().trim().parse().during("reading a size")?,
            422 => return Ok(Got { lines: Vec::new(), refused: true }),
            _ => return Err(answer.expect(200).unwrap_err()),
        }
        if old > size {
            break;
        }
    }
    Ok(Got::default())
}

#[test]
fn in_whatever_order_it_asks_three_honest_witnesses_no_two_of_three_clients_accept_both_histories() -> Step {
    let seeds: Vec<Seed> = (0..24).map(|number| Seed::parse(&format!("lying log {number}")).unwrap()).collect();
    let vkey = |seed: &Seed| TestLog::new(*seed, Role::Main).map(|log| log.signer().verifier().to_string());
    let witnesses = Witnesses::of(&seeds.iter().map(vkey).collect::<Step<Vec<_>>>()?)?;
    let addresses: Vec<SocketAddr> = witnesses.servers.iter().map(Server::address).collect::<Step<_>>()?;

    let mut convicted = Vec::new();
    for (number, seed) in seeds.iter().enumerate() {
        // The other history is as long, or longer: then the log shows a proof that holds, from another root.
        let sizes = [(Branch::Honest, 5), (Branch::Other, if number % 3 == 0 { 7 } else { 5 })];
        let mut requests = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let [left, right] = sizes;
            // Eight ways to show each witness one history first.
            let (first, then) = if number >> index & 1 == 0 { (left, right) } else { (right, left) };
            requests.extend([(index, *address, first), (index, *address, then)]);
        }
        let answers: Vec<Got> = if number < 16 {
            // One after another: for each witness its two in turn, or all the first before all the second.
            if number >= 8 {
                requests.sort_by_key(|(index, _, (branch, _))| (*branch == Branch::Other, *index));
            }
            requests
                .iter()
                .map(|(_, address, (branch, size))| ask(*address, *seed, *branch, *size))
                .collect::<Step<_>>()?
        } else {
            let start = Barrier::new(requests.len());
            thread::scope(|scope| {
                let threads: Vec<_> = requests
                    .iter()
                    .map(|(_, address, (branch, size))| {
                        let start = &start;
                        scope.spawn(move || {
                            start.wait();
                            ask(*address, *seed, *branch, *size)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Step<_>>()
            })?
        };

        let policy = Witnesses::policy(&vkey(seed)?, 2, &witnesses.vkeys);
        let policy = Policy::parse(policy.as_bytes()).during("reading a policy")?;
        let mut accepted = 0;
        for (branch, size) in sizes {
            let mut log = TestLog::new(*seed, Role::Main)?;
            let head = log.checkpoint(branch, size)?;
            let mut note = log.sign(&head)?.to_string();
            for (_, got) in requests.iter().zip(&answers).filter(|((_, _, asked), _)| asked.0 == branch) {
                note.extend(got.lines.iter().map(String::as_str));
            }
            accepted += usize::from(policy.verify(note.as_bytes()).is_ok());
        }
        // Each honest witness gave its line to one history: of three, two gave it to the same one.
        assert_eq!(accepted, 1, "log {number}: {answers:?}");
        for index in 0..addresses.len() {
            let of_it = requests.iter().zip(&answers).filter(|((asked, ..), _)| *asked == index);
            let lines = of_it.filter(|(_, got)| !got.lines.is_empty()).count();
            assert_eq!(lines, 1, "witness {index} of log {number}");
        }
        for ((index, ..), _) in requests.iter().zip(&answers).filter(|(_, got)| got.refused) {
            let origin = TestLog::new(*seed, Role::Main)?.origin().to_string();
            convicted.push((*index, origin));
        }
    }
    // Whoever refused a history kept the proof.
    assert!(convicted.len() > seeds.len(), "{convicted:?}");
    for index in 0..addresses.len() {
        let kept = witnesses.evidence(index + 1)?;
        for (_, origin) in convicted.iter().filter(|(of, _)| *of == index) {
            assert!(kept.contains(&(origin.clone(), true)), "witness {index} of {origin}: {kept:?}");
        }
    }
    Ok(())
}

/// Another machine: nothing in its environment but a home of its own, and no network where this one can take it away.
struct Machine {
    home: tempfile::TempDir,
    isolated: bool,
}

impl Machine {
    fn new() -> Step<Self> {
        let isolated = Command::new("unshare").args(["-rn", "true"]).status().is_ok_and(|status| status.success());
        if !isolated {
            eprintln!("this machine lets nobody take the network away (unshare -rn): shown without that");
        }
        Ok(Self { home: tempfile::tempdir().during("making a folder")?, isolated })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = if self.isolated {
            let mut command = Command::new("unshare");
            command.arg("-rn").arg(program);
            command
        } else {
            Command::new(program)
        };
        // What asks for the network all the same is sent to a port where nobody is.
        let nowhere = "http://127.0.0.1:1";
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path()).current_dir(self.home.path());
        command
            .envs(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"].map(|name| (name, nowhere)));
        command
    }

    fn verify(&self, file: &Path, vkey: &str) -> Step<Told> {
        let mut command = self.command(&Binary::Stele.path()?);
        command.args(["--json", "evidence", "verify", path(file)?, "--vkey", vkey]);
        command::finish(command, "stele evidence verify".to_owned())
    }

    /// Whether a program on it reaches a port of ours.
    fn reaches(&self, address: SocketAddr) -> Step<bool> {
        let mut command = self.command(Path::new("/bin/bash"));
        command.args(["-c", &format!("exec 3<>/dev/tcp/{}/{}", address.ip(), address.port())]);
        Ok(command::finish(command, "bash".to_owned())?.code == Some(0))
    }
}

#[test]
fn what_an_honest_witness_kept_convicts_the_log_before_a_stranger_without_a_network() -> Step {
    let seed = Seed::parse("convicted")?;
    let vkey = TestLog::new(seed, Role::Main)?.signer().verifier().to_string();
    let witnesses = Witnesses::of(std::slice::from_ref(&vkey))?;
    let address = witnesses.servers[0].address()?;
    assert!(!ask(address, seed, Branch::Honest, 5)?.lines.is_empty());
    assert!(ask(address, seed, Branch::Other, 5)?.refused, "the same size");
    assert!(ask(address, seed, Branch::Other, 9)?.refused, "and a larger one");

    let files = witnesses.export(1)?;
    assert_eq!(files.len(), 2, "{files:?}");
    let machine = Machine::new()?;
    assert_eq!(machine.reaches(address)?, !machine.isolated, "the network is gone where it can be taken away");
    let other = SignerKey::new("log.example/other".parse().during("naming")?, KeyType::Log, [9; 32]).verifier();
    for file in files {
        let bytes = fs::read(&file).during("reading evidence")?;
        let copy = machine.home.path().join("received.stele-evidence");
        fs::write(&copy, &bytes).during("receiving it")?;
        let told = machine.verify(&copy, &vkey)?.expect(0)?.json()?;
        assert_eq!((&told["proven"], told["kind"].as_str()), (&Value::Bool(true), Some("split-view")), "{told}");
        let accused: Vec<_> = told["accused"].as_array().unwrap().iter().map(|one| one["role"].as_str()).collect();
        assert_eq!(accused, [Some("log")], "{told}");
        assert_ne!(machine.verify(&copy, &other.to_string())?.code, Some(0), "another log is not convicted by it");

        // A bit of every byte: the file is refused, or proves the same. What is left are lines of witnesses, which prove nothing here.
        let keys = KnownKeys::new([vkey.parse().during("reading a vkey")?]);
        let verdict = Misbehaviour::parse(&bytes).during("reading")?.check(&keys).during("checking")?;
        let (mut refused, mut first) = (0, None);
        for bit in (0..bytes.len()).map(|byte| byte * 8 + byte % 8) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match Misbehaviour::parse(&flipped).ok().and_then(|evidence| evidence.check(&keys).ok()) {
                Some(found) => assert_eq!((&found.what, &found.facts), (&verdict.what, &verdict.facts), "bit {bit}"),
                None => {
                    refused += 1;
                    first = first.or(Some(flipped));
                }
            }
        }
        assert!(refused > 256, "{refused} of {}", bytes.len());
        fs::write(&copy, first.unwrap()).during("damaging it")?;
        assert_ne!(machine.verify(&copy, &vkey)?.code, Some(0));
        for at in [0.3, 0.6, 0.9] {
            // In a root, a size, a signature of the log: wherever the log has spoken.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let heads: Vec<usize> = text.match_indices(vkey.split('+').next().unwrap()).map(|(at, _)| at).collect();
            let head = heads[(heads.len() as f64 * at) as usize];
            let mut flipped = bytes.clone();
            flipped[head] ^= 1;
            fs::write(&copy, flipped).during("damaging it")?;
            assert_ne!(machine.verify(&copy, &vkey)?.code, Some(0), "the byte {head}");
        }
    }
    Ok(())
}

/// What `stele policy lint` says that a policy bears: lying witnesses, and those that are down.
fn bears(witnesses: &Witnesses, name: &str, policy: &str) -> Step<(u64, u64)> {
    let file = witnesses.at(name);
    fs::write(&file, policy).during("writing a policy")?;
    let told = command::run(Binary::Stele, ["--json", "policy", "lint", path(&file)?])?.expect(0)?.json()?;
    let of = &told["witnesses"];
    Ok((of["may_lie"].as_u64().unwrap(), of["may_be_down"].as_u64().unwrap()))
}

#[test]
fn a_colluding_witness_fools_two_of_three_and_not_three_of_four_and_is_convicted_with_the_log() -> Step {
    let mut left = LyingLog::new()?;
    left.say(&Speaker::new(1).during("a key")?.claim().during("a claim")?)?;
    left.index()?;
    let mut right = left.fork(1)?;
    right.say(&Speaker::new(2).during("a key")?.claim().during("a claim")?)?;
    right.index()?;
    let witnesses = Witnesses::of(&[left.vkey()])?;
    let liar = SignerKey::new("liar.example".parse().during("naming")?, KeyType::Cosigner, [77; 32]);
    let [w1, w2, w3] = &witnesses.vkeys[..] else { panic!("three witnesses") };
    let liar_vkey = liar.verifier().to_string();

    // By lint's figures: 2 of 3 bears no lying witness and one that is down; 3 of 4 one of each; 3 of 3 two and none.
    let three = [w1.clone(), w2.clone(), liar_vkey.clone()];
    let four = [w1.clone(), w2.clone(), w3.clone(), liar_vkey];
    let two_of_three = Witnesses::policy(&left.vkey(), 2, &three);
    let three_of_four = Witnesses::policy(&left.vkey(), 3, &four);
    let three_of_three = Witnesses::policy(&left.vkey(), 3, &three);
    assert_eq!(bears(&witnesses, "2-of-3", &two_of_three)?, (0, 1));
    assert_eq!(bears(&witnesses, "3-of-4", &three_of_four)?, (1, 1));
    assert_eq!(bears(&witnesses, "3-of-3", &three_of_three)?, (2, 0));

    // The log shows the left half to the first honest witness, the right half to the second; the third sees one of them.
    let time = UnixTime::new(1_782_388_800).during("telling the time")?;
    let mut notes = Vec::new();
    for (log, honest) in [(&left, &[0, 2][..]), (&right, &[1])] {
        let head = log.head()?;
        let mut note = head.to_string();
        for index in honest {
            let body = format!("old 0\n\n{head}");
            let address = witnesses.servers[*index].address()?;
            note += &http::post(address, "/add-checkpoint", "text/plain", body.as_bytes())?.expect(200)?.text();
        }
        note += &cosign(head.text(), &liar, time).during("lying")?.to_string();
        notes.push(note);
    }
    for (index, head) in [(0, right.head()?), (1, left.head()?), (2, right.head()?)] {
        let body = format!("old {}\n\n{head}", left.size());
        let address = witnesses.servers[index].address()?;
        http::post(address, "/add-checkpoint", "text/plain", body.as_bytes())?.expect(422)?;
        assert_eq!(witnesses.evidence(index + 1)?, [(head.text().lines().next().unwrap().to_owned(), true)]);
    }
    for (name, log, note) in [("left", &left, &notes[0]), ("right", &right, &notes[1])] {
        log.write(&witnesses.at(name))?;
        fs::write(witnesses.at(name).join("checkpoint"), note).during("writing a checkpoint")?;
    }

    // Two clients of 2 of 3 accept a history each: fooled, as lint says.
    let audit = |half: &str, policy: &str, state: &str| {
        let (half, policy, state) = (witnesses.at(half), witnesses.at(policy), witnesses.at(state));
        let arguments = ["audit", path(&half)?, "--policy", path(&policy)?, "--state", path(&state)?];
        command::run(Binary::Stele, arguments)
    };
    audit("left", "2-of-3", "of-the-left")?.expect(0)?;
    audit("right", "2-of-3", "of-the-right")?.expect(0)?;
    // Of 3 of 4 only one can be: three of the four have to be honest, and they are on one side or the other.
    audit("left", "3-of-4", "of-the-careful")?.expect(0)?;
    let refused = audit("right", "3-of-4", "of-another-careful")?;
    assert_ne!(refused.code, Some(0), "{}", refused.all());
    assert!(refused.stderr.contains("2 of 3") || refused.stderr.contains("witness"), "{}", refused.all());
    // And of 3 of 3 none, since the honest two are not on one side.
    for half in ["left", "right"] {
        assert_ne!(audit(half, "3-of-3", &format!("nobody-{half}"))?.code, Some(0));
    }

    // When the two compare what they accepted, the log is convicted, and with it the witness that signed both.
    let told = audit("right", "2-of-3", "of-the-left")?.expect(12)?;
    let evidence = witnesses.at("of-the-left/evidence");
    let files = fs::read_dir(&evidence).during("no evidence")?.map(|file| file.unwrap().path());
    let files: Vec<_> = files.filter(|file| file.extension().is_some_and(|name| name == "stele-evidence")).collect();
    assert_eq!(files.len(), 1, "{files:?} {}", told.all());
    let policy = witnesses.at("2-of-3");
    let arguments = ["--json", "evidence", "verify", path(&files[0])?, "--policy", path(&policy)?];
    let verdict = command::run(Binary::Stele, arguments)?.expect(0)?.json()?;
    let accused: Vec<_> =
        verdict["accused"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(accused, ["log", "witness"], "{verdict}");
    let names = verdict["accused"].to_string();
    assert!(
        names.contains("liar.example") && !names.contains("w1.example") && !names.contains("w2.example"),
        "{names}"
    );
    Ok(())
}

/// Anyone may ask a witness for the signature of a subtree, the whole tree of its newest checkpoint too. That line states no time, and
/// is no proof that the tree was the largest before an older one was cosigned.
#[test]
fn a_line_that_a_stranger_asked_for_convicts_no_honest_witness() -> Step {
    let seed = Seed::parse("a stranger").unwrap();
    let log = TestLog::new(seed, Role::Main)?;
    let witnesses = Witnesses::of(&[log.signer().verifier().to_string()])?;
    let address = witnesses.servers[0].address()?;
    let newest = || -> Step<SignedNote> {
        let hash = Checkpoint::parse(&ask_text(seed, 3)?).unwrap().origin().digest();
        let answer = http::get(address, &format!("/{hash}/checkpoint"))?.expect(200)?;
        SignedNote::parse(&answer.body).during("reading a checkpoint")
    };
    assert!(!ask(address, seed, Branch::Honest, 3)?.refused);
    let smaller = newest()?;
    assert!(!ask(address, seed, Branch::Honest, 5)?.refused);
    let large = newest()?;

    let root = large.text().lines().nth(2).unwrap();
    let body = format!("subtree 0 5\n{root}\n\n{large}");
    let answer = http::post(address, "/sign-subtree", "text/plain", body.as_bytes())?.expect(200)?.text();
    let line = NoteSignature::parse_line(&answer).during("reading the line")?;
    let larger = SignedNote::new(large.text().to_owned(), vec![line.clone()]).during("making a note")?;
    let evidence = Misbehaviour::Rollback(Rollback { larger, smaller });
    let file = witnesses.at("rollback");
    fs::write(&file, evidence.to_bytes().during("making evidence")?).during("writing it")?;

    let about = command::run(Binary::Witness, ["about", path(&witnesses.at("w1"))?])?.expect(0)?.stdout;
    let vkey =
        about.split_whitespace().find(|word| word.parse::<VerifierKey>().is_ok_and(|key| key.is_meant_by(&line)));
    let arguments = ["--json", "evidence", "verify", path(&file)?, "--vkey", vkey.unwrap()];
    let told = command::run(Binary::Stele, arguments)?.expect(14)?;
    assert!(told.stderr.contains("no-rollback") || told.stdout.contains("no-rollback"), "{told:?}");
    Ok(())
}

/// The text of a log's head of this size.
fn ask_text(seed: Seed, size: u64) -> Step<String> {
    Ok(TestLog::new(seed, Role::Main)?.checkpoint(Branch::Honest, size)?.to_string())
}

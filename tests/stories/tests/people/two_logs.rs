//! Who trusts two logs: what is here says of which it is, and nobody has to say it again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;

/// Two logs, a release in each, and a policy that has both.
struct Two {
    one: Network,
    other: Network,
    acme: Publisher,
    policy: PathBuf,
}

impl Two {
    fn start() -> Step<Self> {
        let (one, other) = (Network::start(1, 1)?, Network::start_as("other.example/log", 1, 1)?);
        let acme = Publisher::new(&one, "acme.example")?;
        let beta = Publisher::new(&other, "beta.example")?;
        beta.release(&other.at("beta"), "1.0.0", 2)?.expect(0)?;
        acme.release(&one.at("acme"), "1.0.0", 1)?.expect(0)?;
        let lines = |policy: String, of: &str| -> Vec<String> {
            let lines = policy.lines().filter(|line| line.starts_with("log ") || line.starts_with("witness "));
            lines.map(|line| line.replace("witness witness-1 ", &format!("witness {of} "))).collect()
        };
        let both = [lines(one.policy(), "a"), lines(other.policy(), "b")].concat().join("\n");
        let policy = one.at("both");
        fs::write(&policy, format!("{both}\ngroup witnesses any a b\nquorum witnesses\n")).unwrap();
        Ok(Self { one, other, acme, policy })
    }

    fn stele(&self, arguments: &[&str]) -> Step<Told> {
        let home = self.one.at("home");
        let environment: [(&str, &OsStr); 3] =
            [("HOME", home.as_os_str()), ("STELE_CACHE", home.as_os_str()), ("HF_HUB_CACHE", OsStr::new(""))];
        let policy = ["--policy", path(&self.policy)?];
        command::run_with(Binary::Stele, arguments.iter().chain(&policy), Some(self.one.home()), &environment)
    }
}

#[test]
fn what_is_here_is_asked_at_its_own_log_and_a_scan_asks_both() -> Step {
    let two = Two::start()?;
    fs::create_dir_all(two.one.at("home")).unwrap();
    let (acme, beta) = (two.one.at("acme"), two.other.at("beta"));
    for folder in [&acme, &beta] {
        for verb in [
            &["verify", path(folder)?, "--online"][..],
            &["lineage", path(folder)?],
            &["history", path(folder)?],
            &["fetch", path(folder)?],
        ] {
            two.stele(verb)?.expect(0)?;
        }
    }
    // A statement about what is in one of them goes there.
    let withdraw = ["withdraw", path(&acme)?, "--did", "support-ended 2026-07-02", "--copies", "publicly-downloaded"];
    let reason = ["--reason", "It leaks.", "--key", path(two.acme.key())?];
    two.stele(&[&withdraw[..], &reason].concat())?.expect(0)?;

    let scan = |more: &[&str]| {
        let places = ["scan", "--only", "--also", path(&acme)?, "--also", path(&beta)?];
        two.stele(&[&places[..], more].concat())
    };
    let told = scan(&["--json"])?.expect(13)?.json()?;
    assert_eq!(
        (&told["verified"], told["logs"].as_array().unwrap().len(), &told["log"]),
        (&1.into(), 2, &().into()),
        "{told}"
    );
    let verdicts = told["models"].as_array().unwrap().iter().map(|model| (&model["log"], &model["verdict"]));
    let mut verdicts: Vec<(&str, &str)> =
        verdicts.map(|(log, verdict)| (log.as_str().unwrap(), verdict.as_str().unwrap())).collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts, [("log.example/quickstart", "withdrawn"), ("other.example/log", "verified")]);

    // Without a record each of them may have it; what neither has is in neither.
    let (bare, stranger) = (two.one.at("bare"), two.one.at("stranger"));
    model::copy(&beta, &bare)?;
    fs::remove_file(bare.join("release.stele")).unwrap();
    model::write(&stranger, 7)?;
    let told = two.stele(&["scan", "--only", "--also", path(&bare)?, "--also", path(&stranger)?])?.expect(13)?.stdout;
    assert!(told.contains("verified") && told.contains("beta.example/"), "{told}");
    assert!(told.contains("log.example/quickstart or other.example/log"), "{told}");

    // The wrong one, asked by name, says nothing of what is in the other.
    let wrong =
        two.stele(&["lineage", path(&acme)?, "--log", &format!("http://{}", two.other.log_address()?), "--json"])?;
    assert_eq!(wrong.expect(6)?.json()?["error"], "other-log");
    two.stele(&["history", &two.acme.coordinate("1.0.0")])?.expect(2)?;
    Ok(())
}

//! The conformance suite: it finds each fault of a witness that has one, and none in ours.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::path::Path;
use std::process::Command;

use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::{Home, path};
use stele_harness::process::Server;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::report::Report;
use stele_probe::trial::misjudged;
use witness_conformance::logs::{Role, Seed, TestLog, network_list};
use witness_conformance::mirror::wrong::WrongMirror;
use witness_conformance::rows::TABLE;
use witness_conformance::suite::Target;
use witness_conformance::wrong::{Fault, WrongWitness};
use witness_conformance::{mirror, mirror::wrong::Fault as MirrorFault};

#[test]
fn rows_that_the_witness_s_own_table_has_are_in_it() {
    let table = include_str!("../../../witness/README.md");
    for row in TABLE.rows.iter().filter(|row| "ABCDEFGHM".contains(&row.id[..1]) && row.id.len() == 2) {
        let ours = ["A9", "F7", "G8", "G9", "M3", "M4"].contains(&row.id);
        assert_eq!(table.contains(&format!("\n| {} |", row.id)), !ours, "{}", row.id);
    }
}

fn judged(fault: Fault) -> Step<Report> {
    let seed = Seed::parse(&format!("{fault:?}"))?;
    let witness = WrongWitness::start(seed, fault)?;
    witness_conformance::run(&Target::new(witness.url(), None, witness.vkeys())?, seed)
}

#[test]
fn each_fault_is_found_in_its_rows_and_in_no_other() -> Step {
    let faults: &[(Fault, &[&str])] = &[
        (Fault::None, &[]),
        (Fault::AnyFirstWord, &["A1"]),
        (Fault::LeadingZeros, &["A2"]),
        (Fault::UrlAlphabet, &["A3"]),
        (Fault::UnusedBits, &["A3b"]),
        (Fault::ExtraHashesIgnored, &["A4", "A4b", "F3"]),
        (Fault::FewProofLines, &["A4b"]),
        (Fault::NoEmptyLineNeeded, &["A5"]),
        (Fault::UnendedNote, &["A6c"]),
        (Fault::CrLf, &["A6b"]),
        (Fault::ServerErrorWhenLarge, &["A7"]),
        (Fault::SmallBodies, &["A7b"]),
        (Fault::AnyMethod, &["A8"]),
        (Fault::MalformedIs422, &["A4", "A9", "C2b"]),
        (Fault::UnknownOriginIs403, &["B1"]),
        (Fault::AnyKey, &["C1", "C2", "O1"]),
        (Fault::BadLineIs400, &["C2"]),
        (Fault::OneGoodLineIsEnough, &["C2b"]),
        (Fault::UnknownLinesRefused, &["A7b", "C3", "C3b"]),
        (Fault::WedgedByItsOwnName, &["C3b"]),
        (Fault::SizesToStrangers, &["O1"]),
        (Fault::OldAboveSizeIs409, &["D1", "O2"]),
        (Fault::ProofBeforeSize, &["O3", "E1", "E2"]),
        (Fault::AnyOldSize, &["E1", "P2", "P2b"]),
        (Fault::SizeWithoutNewline, &["E1c"]),
        (Fault::SizeAsPlainText, &["E1b"]),
        (Fault::EmptyTreeWithARoot, &["F1"]),
        (Fault::ProofFromNothing, &["F2"]),
        (Fault::ForksCosigned, &["A4b", "F3", "F6"]),
        (Fault::SameSizeCosigned, &["F4", "P2"]),
        (Fault::SameSizeIs409, &["F4"]),
        (Fault::ProofBetweenEquals, &["F5"]),
        (Fault::NoEmptyTree, &["G4"]),
        (Fault::NoExtensions, &["G5"]),
        (Fault::NoMlDsaLine, &["G6", "G6b"]),
        (Fault::OtherLogsOnly, &[]),
        (Fault::MoreThanLines, &["G8"]),
        (Fault::OverTheSizeAlone, &["G9", "M2b"]),
        (Fault::TimeZero, &["G10"]),
        (Fault::TimeGoesBack, &["G3b", "G11"]),
        (Fault::ClockAhead, &["G12"]),
        (Fault::OneRequestAConnection, &["K1"]),
        (Fault::ClosesAfterRefusal, &["K2"]),
        (Fault::NotAtomic, &["P2", "P2b"]),
        (Fault::NoPage, &["M2"]),
        (Fault::PageWithoutLog, &["M2b"]),
        (Fault::PageWithoutOwn, &["M2b"]),
        (Fault::PageOfYesterday, &["M3"]),
        (Fault::PageOfAll, &["M4"]),
        (Fault::PageOfAnything, &["M1"]),
    ];
    // Each waits for a second to pass: all at once.
    let wrong = misjudged(&TABLE, faults, judged)?;
    assert!(wrong.is_empty(), "{wrong}");
    Ok(())
}

#[test]
fn nobody_there_and_a_witness_of_other_logs_are_no_deviations() -> Step {
    let seed = Seed::parse("configured")?;
    let witness = WrongWitness::start(seed, Fault::None)?;
    let target = Target::new(witness.url(), None, witness.vkeys())?;
    let refused = witness_conformance::run(&target, Seed::parse("not configured")?).unwrap_err().to_string();
    assert!(refused.contains("does not know") && refused.contains("witness-conformance logs"), "{refused}");
    let nobody = Target::new("http://127.0.0.1:1", None, witness.vkeys())?;
    assert!(witness_conformance::run(&nobody, seed).unwrap_err().to_string().contains("reaching"));
    let log_key =
        network_list(seed)?.lines().find_map(|line| line.strip_prefix("vkey ")).unwrap_or_default().to_owned();
    assert!(Target::new(witness.url(), None, &[log_key]).is_err(), "a log's key is no witness's");
    assert!(Target::new(witness.url(), None, &[]).is_err());
    Ok(())
}

/// A witness of ours that is configured from a list of logs.
fn ours(home: &Path, seed: Seed) -> Step<(Server, Vec<String>)> {
    let folder = home.join("witness");
    command::run(Binary::Witness, ["init", path(&folder)?, "--name", "witness.example/ours"])?.expect(0)?;
    let list = home.join("logs");
    std::fs::write(&list, network_list(seed)?).during("writing the list")?;
    command::run(Binary::Witness, ["logs", "pull", path(&folder)?, "--from", path(&list)?])?.expect(0)?;
    let about = command::run(Binary::Witness, ["about", path(&folder)?])?.expect(0)?;
    let vkeys = about.stdout.lines().filter_map(|line| line.strip_prefix("vkey: ")).map(str::to_owned).collect();
    let arguments = ["run", path(&folder)?].map(Into::into).to_vec();
    Ok((Server::new("witness", Binary::Witness.path()?, arguments, home.join("messages")), vkeys))
}

#[test]
fn ours_conforms_when_it_is_new_and_when_it_remembers() -> Step {
    let home = Home::temporary()?;
    let seed = Seed::parse("ours")?;
    let (mut server, vkeys) = ours(home.path(), seed)?;
    server.start()?;
    assert_eq!(vkeys.len(), 2);
    let target = Target::new(&server.url()?, None, &vkeys)?;
    let report = witness_conformance::run(&target, seed)?;
    assert_eq!(report.with("ok").len(), TABLE.rows.len(), "{report}");

    // Killed and started again, it goes on where it was; only what needs a log without a past cannot be asked again.
    server.kill();
    server.start()?;
    let report = witness_conformance::run(&target, seed)?;
    assert_eq!((report.with("deviation"), report.with("skipped")), (vec![], vec!["G1", "P2"]), "{report}");
    server.stop()
}

fn judged_mirror(fault: MirrorFault) -> Step<Report> {
    let seed = Seed::parse(&format!("{fault:?}"))?;
    let wrong = WrongMirror::start(seed, fault)?;
    mirror::run(&Target::new(&wrong.url, None, &[wrong.vkey])?, seed)
}

#[test]
fn each_fault_of_a_mirror_is_found_in_its_rows_and_in_no_other() -> Step {
    let faults: &[(MirrorFault, &[&str])] = &[
        (MirrorFault::None, &[]),
        (MirrorFault::OneCheckpoint, &["J1"]),
        (MirrorFault::SignsCheckpoints, &["J2"]),
        (MirrorFault::UnknownIs422, &["J3"]),
        (MirrorFault::NothingPendingIs404, &["J4"]),
        (MirrorFault::UnknownEndIs202, &["J5", "J7"]),
        (MirrorFault::LateStartIs422, &["J6"]),
        (MirrorFault::OlderEndIs200, &["J7"]),
        (MirrorFault::InfoAsText, &["J8"]),
        (MirrorFault::SizeOfNothing, &["J9"]),
        (MirrorFault::WrongEntriesAre400, &["J10"]),
        (MirrorFault::BrokenOffIs422, &["J11"]),
        (MirrorFault::AnyNumberOfHashes, &["J12"]),
        (MirrorFault::AllOrNothing, &["J13"]),
        (MirrorFault::SignedBeforeItIsHere, &["J14"]),
        (MirrorFault::NoGzip, &["J15"]),
        (MirrorFault::OtherTreeSigned, &["J16"]),
        (MirrorFault::NoAcceptEncoding, &["J17"]),
        (MirrorFault::PageOfYesterday, &["J18"]),
        (MirrorFault::PageWithoutOwn, &["J18"]),
        (MirrorFault::EmptyTiles, &["J19"]),
        (MirrorFault::Pruned, &["J20"]),
        (MirrorFault::EmptyUploadIs409, &["J21"]),
        (MirrorFault::NothingTwice, &["J22"]),
        (MirrorFault::LatestCheckpointOnly, &["J23"]),
    ];
    let wrong = misjudged(&mirror::rows::TABLE, faults, judged_mirror)?;
    assert!(wrong.is_empty(), "{wrong}");
    let rows = mirror::rows::TABLE.rows;
    assert!(rows.iter().all(|row| faults.iter().any(|(_, found)| found.contains(&row.id))), "each row has a fault");
    Ok(())
}

#[test]
fn our_mirror_conforms_when_it_is_new_and_when_it_remembers() -> Step {
    let home = Home::temporary()?;
    let seed = Seed::parse("our mirror")?;
    let (mut server, _) = ours(home.path(), seed)?;
    let folder = home.path().join("witness");
    let folder = path(&folder)?;
    let vkeys =
        command::run(Binary::Witness, ["mirror", "init", folder, "--name", "mirror.example/ours"])?.expect(0)?;
    let vkeys: Vec<String> = vkeys.stdout.lines().map(str::to_owned).collect();
    for role in [Role::Mirror, Role::Unmirrored] {
        let origin = TestLog::new(seed, role)?.origin().to_string();
        command::run(Binary::Witness, ["mirror", "add", folder, &origin, "--push"])?.expect(0)?;
    }
    server.start()?;
    let target = Target::new(&format!("{}/mirror", server.url()?), None, &vkeys)?;
    let report = mirror::run(&target, seed)?;
    assert_eq!(report.with("ok").len(), mirror::rows::TABLE.rows.len(), "{report}");
    server.kill();
    server.start()?;
    let target = Target::new(&format!("{}/mirror", server.url()?), None, &vkeys)?;
    let report = mirror::run(&target, seed)?;
    assert_eq!(report.with("ok").len(), mirror::rows::TABLE.rows.len(), "{report}");
    server.stop()
}

/// The program, with a fault of the witness it is held against: exit code and words.
fn program(arguments: &[&str]) -> Step<command::Told> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_witness-conformance"));
    command.args(arguments);
    command::finish(command, "witness-conformance".to_owned())
}

#[test]
fn the_program_ends_with_a_code_for_what_it_found() -> Step {
    let seed = "the program";
    let list = program(&["logs", "--seed", seed])?.expect(0)?.stdout;
    assert_eq!(list, network_list(Seed::parse(seed)?)?);
    for wrong in
        [&["run"][..], &["logs"], &["logs", "--seed", ""], &["judge"], &["run", "http://127.0.0.1:1", "--seed", seed]]
    {
        program(wrong)?.expect(2)?;
    }
    let home = Home::temporary()?;
    let known = home.path().join("known");
    let subtrees: String = (1..=6).map(|number| format!("H{number} skipped\n")).collect();
    std::fs::write(&known, format!("# as older documents had it\nF4 deviation\n{subtrees}")).during("writing")?;
    for (fault, code) in [(Fault::SameSizeIs409, 1), (Fault::None, 0)] {
        let witness = WrongWitness::start(Seed::parse(seed)?, fault)?;
        let [first, second] = witness.vkeys() else { return Err(Failure::new("a witness with two keys")) };
        let common = ["run", witness.url(), "--vkey", first, "--vkey", second, "--seed", seed];
        let told = program(&[&common[..], &["--json"]].concat())?.expect(code)?.json()?;
        assert_eq!(told["violations"], code, "{told}");
    }
    // Compared with what is known, of witnesses that have no memory of the runs above.
    for (fault, code) in [(Fault::SameSizeIs409, 0), (Fault::None, 1)] {
        let witness = WrongWitness::start(Seed::parse(seed)?, fault)?;
        let [first, second] = witness.vkeys() else { return Err(Failure::new("a witness with two keys")) };
        let known = path(&known)?;
        let told =
            program(&["run", witness.url(), "--vkey", first, "--vkey", second, "--seed", seed, "--expect", known])?;
        let told = told.expect(code)?;
        assert!(told.stdout.contains("F4   MUST") && told.stdout.contains("6 skipped\n"), "{}", told.stdout);
        assert_eq!(told.stderr.contains("F4: expected deviation, found ok"), code == 1, "{}", told.stderr);
    }
    let vkey = WrongWitness::start(Seed::parse(seed)?, Fault::None)?.vkeys()[0].clone();
    let told = program(&["run", "http://127.0.0.1:1", "--vkey", &vkey, "--seed", seed])?.expect(3)?;
    assert!(told.stderr.contains("reaching 127.0.0.1:1"), "{}", told.stderr);
    Ok(())
}

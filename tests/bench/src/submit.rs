//! From a signed statement to its cosigned proof, through the real log and three real witnesses, two of which are enough.
//!
//! The clock runs from the first byte of a request to the last byte of its answer. Every proof is then verified against
//! the policy, after the clock has stopped: in the world the submitters are other machines.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use stele_spec::policy::Policy;
use stele_spec::proof::{TlogProof, check_under};
use stele_spec::receipt::{MEDIA_TYPE, Receipt};
use stele_spec::submission;

use super::figure::{Aim, Figure, quantile};
use super::line::{Line, PROOF};
use super::load::{Load, Request};
use super::signatures;
use stele_harness::network::{COSE, Home, Network};
use stele_probe::failure::{During, Failure, Step};
use stele_samples::supply::Supply;

/// How often everything is measured.
const RUNS: usize = 3;

/// Submissions of one latency run.
const SAMPLES: usize = 400;

/// Submissions of one throughput run.
const ENTRIES: usize = 8_000;

/// Connections of a throughput run, and whether each release brings a manifest of its own, as `stele publish` does it.
const LOADS: [(usize, Manifests); 4] =
    [(64, Manifests::Own), (256, Manifests::Own), (500, Manifests::Own), (256, Manifests::Shared)];

/// Runs of the comparison of receipts with proofs, submissions of each half of one, and connections.
const RECEIPT_RUNS: usize = 7;
const RECEIPTS: usize = 2_000;
const RECEIPT_CONNECTIONS: usize = 64;

/// Submissions before the first clock: caches are warm and connections known.
const WARM_UP: usize = 50;

/// What the releases of a run bring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manifests {
    /// A manifest each.
    Own,
    /// The one that is public already.
    Shared,
}

/// A submission that was made before the clock starts.
pub(crate) struct Prepared {
    statement: Vec<u8>,
    media_type: &'static str,
    body: Vec<u8>,
    accept: &'static str,
}

impl Request for Prepared {
    fn send(&self, line: &mut Line) -> Step<Vec<u8>> {
        line.post("/entries", self.media_type, self.accept, &self.body)
    }
}

impl Prepared {
    /// Submits it: its cosigned proof.
    pub(crate) fn submit(&self, line: &mut Line) -> Step<Vec<u8>> {
        self.send(line)
    }

    /// The next releases of a publisher.
    pub(crate) fn many(supply: &mut Supply, count: usize, manifests: Manifests) -> Step<Vec<Self>> {
        let one = |_| match manifests {
            Manifests::Own => {
                let (signed, manifest) = supply.another_with_manifest()?;
                let body = submission::encode(signed.bytes(), manifest.bytes());
                Ok(Self { statement: signed.bytes().to_vec(), media_type: submission::MEDIA_TYPE, body, accept: PROOF })
            }
            Manifests::Shared => {
                let statement = supply.another()?.bytes().to_vec();
                Ok(Self { body: statement.clone(), statement, media_type: COSE, accept: PROOF })
            }
        };
        (0..count).map(one).collect()
    }
}

/// One submission after another.
pub fn latency(scratch: &Path) -> Step<Vec<Figure>> {
    let (mut network, mut supply) = open(&scratch.join("latency"), 1)?;
    let mut line = Line::open(network.log_address()?)?;
    for statement in supply.take(WARM_UP)? {
        line.submit(&statement)?;
    }
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut times = Vec::with_capacity(SAMPLES);
        let mut answers = Vec::with_capacity(SAMPLES);
        for one in Prepared::many(&mut supply, SAMPLES, Manifests::Own)? {
            let started = Instant::now();
            let proof = one.send(&mut line)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            answers.push((one.statement, proof));
        }
        verify_all(&network, &answers)?;
        runs.push(times);
    }
    network.stop()?;
    let figure = |name: &str, share: f64| {
        let runs = runs.iter().map(|times| quantile(times, share)).collect();
        Figure::new(format!("submission to cosigned proof, {name}"), "ms", runs)
    };
    Ok(vec![figure("p50", 0.5), figure("p95", 0.95), figure("p99", 0.99).with_aim(Aim::Below(250.0))])
}

/// Many submissions at a time, beside the signatures that this machine can check.
pub fn throughput(scratch: &Path) -> Step<Vec<Figure>> {
    let (mut network, mut supply) = open(&scratch.join("throughput"), 2)?;
    let log = network.log_address()?;
    let mut line = Line::open(log)?;
    for statement in supply.take(WARM_UP)? {
        line.submit(&statement)?;
    }
    let mut limits = Vec::new();
    let mut loads = LOADS.map(|load| (load, Vec::new()));
    for _ in 0..RUNS {
        limits.push(signatures::limit(&mut supply)?);
        for ((connections, manifests), runs) in &mut loads {
            let prepared = Prepared::many(&mut supply, ENTRIES, *manifests)?;
            let load = Load::run(log, &prepared, *connections)?;
            runs.push(verified(load, &network, &prepared)?);
        }
    }
    network.stop()?;

    let of_limits = |what: &str, take: fn(&signatures::Limit) -> f64| {
        Figure::new(what, "per second", limits.iter().map(take).collect())
    };
    let mut figures = vec![
        of_limits("this machine's limit: strict signature checks, all cores", |limit| limit.signatures),
        of_limits("this machine's limit: statements parsed and checked, all cores", |limit| limit.statements),
    ];
    for ((connections, manifests), runs) in &loads {
        let load = match manifests {
            Manifests::Own => format!("{connections} connections"),
            Manifests::Shared => format!("{connections} connections, one manifest for all"),
        };
        let of = |what: &str, unit, take: &dyn Fn(&Verified) -> f64| {
            Figure::new(format!("{what}, {load}"), unit, runs.iter().map(take).collect())
        };
        let rates: Vec<f64> = runs.iter().map(|run| run.load.per_second()).collect();
        let share = |limit: fn(&signatures::Limit) -> f64| {
            rates.iter().zip(&limits).map(|(rate, of)| rate / limit(of)).collect::<Vec<f64>>()
        };
        figures.push(of("releases with verified cosigned proofs", "per second", &|run| run.load.per_second()));
        figures.push(Figure::new(
            format!("... as a share of the signature checks, {load}"),
            "",
            share(|limit| limit.signatures),
        ));
        figures.push(Figure::new(
            format!("... as a share of parsing and checking, {load}"),
            "",
            share(|limit| limit.statements),
        ));
        figures.push(of("entries under one tree head", "", &|run| run.per_head));
        for (program, name) in [("stele-log", "the log"), ("stele-witness", "the witnesses"), ("", "the load itself")] {
            let used = |run: &Verified| run.load.processor_time(program);
            figures.push(of(&format!("processor time of {name} for an entry"), "µs", &used));
        }
    }
    Ok(figures)
}

/// The processor time that an answer with a COSE receipt takes a log beyond one with a proof, by turns over one log. The one signature of a tree head
/// that receipts rest on is in both.
pub fn receipts(scratch: &Path) -> Step<Vec<Figure>> {
    let (mut network, mut supply) = open(&scratch.join("receipts"), 3)?;
    let log = network.log_address()?;
    Load::run(log, &Prepared::many(&mut supply, RECEIPTS, Manifests::Own)?, RECEIPT_CONNECTIONS)?;
    let (mut proofs, mut receipts) = (Vec::new(), Vec::new());
    for run in 0..RECEIPT_RUNS {
        // Who is first takes turns: a log grows.
        for turn in [run, run + 1] {
            let mut prepared = Prepared::many(&mut supply, RECEIPTS, Manifests::Own)?;
            let asks_for_receipts = turn % 2 == 1;
            if asks_for_receipts {
                prepared.iter_mut().for_each(|one| one.accept = MEDIA_TYPE);
            }
            let load = Load::run(log, &prepared, RECEIPT_CONNECTIONS)?;
            if asks_for_receipts {
                for (_, answer) in &load.answers {
                    Receipt::parse(answer).during("reading a receipt")?;
                }
            }
            if asks_for_receipts { &mut receipts } else { &mut proofs }.push(load.processor_time("stele-log"));
        }
    }
    network.stop()?;
    let ratio = proofs.iter().zip(&receipts).map(|(proof, receipt)| receipt / proof).collect();
    let figure =
        |what: &str, unit, runs| Figure::new(format!("processor time of the log for an entry, {what}"), unit, runs);
    Ok(vec![
        figure("answered with a proof", "µs", proofs),
        figure("answered with a receipt", "µs", receipts),
        figure("the second over the first", "", ratio).with_aim(Aim::Below(1.03)),
    ])
}

/// A network with a publisher whose name is claimed and whose manifest is known.
pub(crate) fn open(home: &Path, publisher: u64) -> Step<(Network, Supply)> {
    let network = Network::start_in(Home::kept(home)?, 3, 2)?;
    let mut supply = Supply::new(publisher)?;
    network.accepted(supply.claim()?.bytes())?;
    // The first release brings the manifest that all of them share.
    let manifest = supply.manifest().bytes().to_vec();
    for statement in supply.take(1)? {
        network.accepted_release(&statement, &manifest)?;
    }
    Ok((network, supply))
}

/// One run of many connections, and the mean number of entries under one tree head.
struct Verified {
    load: Load,
    per_head: f64,
}

/// Verifies every proof, and forgets them.
fn verified(mut load: Load, network: &Network, prepared: &[Prepared]) -> Step<Verified> {
    let statement = |place: usize| Some(prepared.get(place)?.statement.clone());
    let answers: Vec<_> = std::mem::take(&mut load.answers)
        .into_iter()
        .filter_map(|(place, proof)| Some((statement(place)?, proof)))
        .collect();
    if answers.len() != prepared.len() {
        return Err(Failure::new(format!("{} of {} were answered", answers.len(), prepared.len())));
    }
    let heads = verify_all(network, &answers)?;
    Ok(Verified { load, per_head: answers.len() as f64 / heads as f64 })
}

/// Verifies that each statement is in the log under a tree head that the quorum cosigned; how many heads there were.
fn verify_all(network: &Network, answers: &[(Vec<u8>, Vec<u8>)]) -> Step<usize> {
    let policy = Policy::parse(network.policy().as_bytes()).during("reading the policy")?;
    let mut heads = HashMap::new();
    for (statement, proof) in answers {
        let proof = TlogProof::parse(proof).during("reading a proof")?;
        let note = proof.checkpoint().to_string();
        let head = match heads.get(&note) {
            Some(head) => head,
            None => {
                let head = policy.verify_note(proof.checkpoint()).during("verifying a tree head")?;
                &*heads.entry(note).or_insert(head)
            }
        };
        check_under(&proof, statement, head.clone()).during("verifying a proof")?;
    }
    Ok(heads.len())
}

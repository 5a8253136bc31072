//! What two index cosigners add to a submission: a log with three witnesses, and one that asks two index cosigners as well, by turns.

use std::fs;
use std::path::Path;
use std::time::Instant;

use stele_harness::index_cosigner::IndexCosigner;
use stele_harness::network::{Home, Network, ORIGIN};
use stele_probe::failure::{During, Step};
use stele_samples::supply::Supply;

use super::figure::{Aim, Figure, quantile};
use super::line::Line;
use super::submit::{Manifests, Prepared};

/// How often each is measured.
const RUNS: usize = 5;

/// Submissions of one run.
const SAMPLES: usize = 200;

/// Submissions before the first clock.
const WARM_UP: usize = 50;

/// A log, whom it asks besides the witnesses, and who submits.
struct Side {
    network: Network,
    cosigners: Vec<IndexCosigner>,
    supply: Supply,
    runs: Vec<Vec<f64>>,
}

/// One submission after another, to the one log and to the other.
pub fn latency(scratch: &Path) -> Step<Vec<Figure>> {
    let mut sides =
        [Side::open(&scratch.join("witnesses-alone"), 0)?, Side::open(&scratch.join("index-cosigners"), 2)?];
    for _ in 0..RUNS {
        for side in &mut sides {
            side.run()?;
        }
    }
    let [alone, checked] = &mut sides;
    let mut figures = Vec::new();
    for (name, share, aim) in [("p50", 0.5, None), ("p99", 0.99, Some(Aim::Below(1.5)))] {
        let of = |side: &Side| side.runs.iter().map(|times| quantile(times, share)).collect::<Vec<f64>>();
        let (before, after) = (of(alone), of(checked));
        let ratio = before.iter().zip(&after).map(|(before, after)| after / before).collect();
        let figure = |what: &str, unit, runs| Figure::new(format!("submission, {name}: {what}"), unit, runs);
        figures.push(figure("three witnesses", "ms", before));
        figures.push(figure("three witnesses and two index cosigners", "ms", after));
        let ratio = figure("the second over the first", "", ratio);
        figures.push(if let Some(aim) = aim { ratio.with_aim(aim) } else { ratio });
    }
    figures.push(Figure::new("what an index cosigner keeps of a log", "bytes", checked.state()?));
    for side in &mut sides {
        side.stop()?;
    }
    Ok(figures)
}

impl Side {
    fn open(home: &Path, index_cosigners: usize) -> Step<Self> {
        let mut network = Network::prepare(Home::kept(home)?, 3, 2)?;
        network.start_witnesses()?;
        let (mut cosigners, mut lines, mut names) = (Vec::new(), String::new(), String::new());
        for number in 0..index_cosigners {
            let name = format!("indexer-{number}");
            let mut cosigner = IndexCosigner::init(network.home(), &name, ORIGIN, network.log_vkey())?;
            cosigner.server.start()?;
            lines += &cosigner.policy_line()?;
            names += &format!(" {name}");
            cosigners.push(cosigner);
        }
        if index_cosigners > 0 {
            let policy = network.policy().replace("quorum witnesses\n", "");
            let policy = format!(
                "{policy}{lines}group index-cosigners all{names}\ngroup both all witnesses index-cosigners\nquorum both\n"
            );
            fs::write(network.policy_path(), policy).during("writing a policy")?;
        }
        network.log.start()?;
        network.wait_until_well()?;
        let mut supply = Supply::new(7)?;
        network.accepted(supply.claim()?.bytes())?;
        let manifest = supply.manifest().bytes().to_vec();
        for statement in supply.take(1)? {
            network.accepted_release(&statement, &manifest)?;
        }
        let mut line = Line::open(network.log_address()?)?;
        for statement in supply.take(WARM_UP)? {
            line.submit(&statement)?;
        }
        Ok(Self { network, cosigners, supply, runs: Vec::new() })
    }

    fn run(&mut self) -> Step {
        let mut line = Line::open(self.network.log_address()?)?;
        let mut times = Vec::with_capacity(SAMPLES);
        for one in Prepared::many(&mut self.supply, SAMPLES, Manifests::Own)? {
            let started = Instant::now();
            one.submit(&mut line)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        self.runs.push(times);
        Ok(())
    }

    /// The bytes of a log in the state of each index cosigner. Its journals, which have one size for however many logs, are not counted.
    fn state(&self) -> Step<Vec<f64>> {
        let mut sizes = Vec::new();
        for cosigner in &self.cosigners {
            let mut bytes = 0;
            for file in fs::read_dir(cosigner.folder.join("index/state")).during("looking at a state")? {
                let file = file.during("looking at a state")?;
                if !file.file_name().as_encoded_bytes().starts_with(b"journal.") {
                    bytes += file.metadata().during("looking at a state")?.len();
                }
            }
            sizes.push(bytes as f64);
        }
        Ok(sizes)
    }

    fn stop(&mut self) -> Step {
        self.network.stop()?;
        self.cosigners.iter_mut().try_for_each(|cosigner| cosigner.server.stop())
    }
}

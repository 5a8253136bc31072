//! What an auditor remembers, kept elsewhere: before each statement the few rows that its rules ask for are recalled, and
//! what they have become is set down again. So the memory of an audit does not grow with the log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::findings::Findings;
use super::ledger::{Known, Reported, name_digest};
use crate::hash::Digest;
use crate::manifest::Manifest;
use crate::name::Coordinate;
use crate::statement::{Ancestor, Parent, Statement};

/// Where the rows are that [`Findings`] does not hold at the moment.
pub trait Memory {
    /// Why a row could not be had.
    type Error;

    /// The release with this number.
    fn release(&self, number: usize) -> Result<Option<Known>, Self::Error>;
    /// The incident with this number.
    fn incident(&self, number: usize) -> Result<Option<Reported>, Self::Error>;
    /// The number that stands under a digest.
    fn number(&self, table: Table, digest: &Digest) -> Result<Option<usize>, Self::Error>;
}

/// What a digest is that a number stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// The text of a coordinate: its release.
    Name,
    /// A weights digest: the first release of it.
    Weights,
    /// A weights file: the first release of it.
    File,
    /// Speaker and id of an incident: the incident.
    Incident,
}

/// How many rows there are: what [`Findings::begin`] goes on from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Releases.
    pub releases: usize,
    /// Incidents.
    pub incidents: usize,
}

impl Findings {
    /// Goes on after so many rows, none of which is held.
    pub fn begin(counts: Counts) -> Self {
        let mut findings = Self::default();
        (findings.releases.count, findings.incidents.count) = (counts.releases, counts.incidents);
        findings
    }

    /// How many rows there are.
    pub fn counts(&self) -> Counts {
        Counts { releases: self.releases.count, incidents: self.incidents.count }
    }

    /// Fetches every row that the rules ask for when they observe this statement.
    pub fn recall<M: Memory>(
        &mut self,
        statement: &Statement,
        manifest: Option<&Manifest>,
        memory: &M,
    ) -> Result<(), M::Error> {
        for coordinate in statement.coordinates() {
            self.recall_name(&coordinate, memory)?;
        }
        for (_, release) in statement.references() {
            self.recall_name(&release.coordinate, memory)?;
        }
        if let Some(weights) = statement.weights_digest() {
            self.recall_number(Table::Weights, weights, memory)?;
        }
        match statement {
            Statement::Release(release) => {
                for file in manifest.into_iter().flat_map(Manifest::weights) {
                    self.recall_number(Table::File, file.sha256, memory)?;
                }
                self.recall_parents(&release.lineage, memory)?;
                if let Some(own) = self.find(&release.coordinate()) {
                    self.recall_kin(own, memory, |known| &known.parents)?;
                }
            }
            Statement::Amend(amend) => {
                if let Some(lineage) = &amend.lineage {
                    self.recall_parents(lineage, memory)?;
                    if let Some(own) = self.find(&amend.release.coordinate) {
                        self.recall_kin(own, memory, |known| &known.parents)?;
                    }
                }
            }
            Statement::Withdraw(withdraw) => {
                if let Some(number) = self.find(&withdraw.release.coordinate) {
                    self.recall_kin(number, memory, |known| &known.children)?;
                }
            }
            Statement::Incident(incident) => {
                let name = Digest::of(format!("{}/{}", incident.publisher.name, incident.id).as_bytes());
                if !self.incident_names.contains_key(&name)
                    && let Some(number) = memory.number(Table::Incident, &name)?
                {
                    self.incident_names.insert(name, number);
                    self.recall_incident(number, memory)?;
                }
                for affected in &incident.affected {
                    if let Some(number) = self.find(affected.coordinate()) {
                        self.recall_kin(number, memory, |known| &known.children)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The releases held, to be set down.
    pub fn releases(&self) -> impl Iterator<Item = (usize, &Known)> {
        self.releases.held.iter().map(|(number, known)| (*number, known))
    }

    /// The incidents held, to be set down.
    pub fn incidents(&self) -> impl Iterator<Item = (usize, &Reported)> {
        self.incidents.held.iter().map(|(number, reported)| (*number, reported))
    }

    /// The numbers held, to be set down.
    pub fn numbers(&self) -> impl Iterator<Item = (Table, &Digest, usize)> {
        let table = |table, map| Iterator::map(BTreeMap::iter(map), move |(digest, number)| (table, digest, *number));
        table(Table::Name, &self.names)
            .chain(table(Table::Weights, &self.weights))
            .chain(table(Table::File, &self.files))
            .chain(table(Table::Incident, &self.incident_names))
    }

    fn recall_name<M: Memory>(&mut self, coordinate: &Coordinate, memory: &M) -> Result<(), M::Error> {
        self.recall_number(Table::Name, name_digest(coordinate), memory)
    }

    /// The parents of a lineage that are in the log, and everything above them.
    fn recall_parents<M: Memory>(&mut self, lineage: &[Ancestor], memory: &M) -> Result<(), M::Error> {
        for ancestor in lineage {
            if let Parent::Logged(parent) = &ancestor.parent
                && let Some(above) = self.find(&parent.coordinate)
            {
                self.recall_kin(above, memory, |known| &known.parents)?;
            }
        }
        Ok(())
    }

    /// A number, and the release that has it.
    fn recall_number<M: Memory>(&mut self, table: Table, digest: Digest, memory: &M) -> Result<(), M::Error> {
        let held = match table {
            Table::Name => &mut self.names,
            Table::Weights => &mut self.weights,
            Table::File => &mut self.files,
            Table::Incident => &mut self.incident_names,
        };
        if held.contains_key(&digest) {
            return Ok(());
        }
        let Some(number) = memory.number(table, &digest)? else { return Ok(()) };
        held.insert(digest, number);
        self.recall_release(number, memory)
    }

    fn recall_release<M: Memory>(&mut self, number: usize, memory: &M) -> Result<(), M::Error> {
        if self.releases.held.contains_key(&number) {
            return Ok(());
        }
        let Some(known) = memory.release(number)? else { return Ok(()) };
        for which in known.incidents.clone() {
            self.recall_incident(which, memory)?;
        }
        self.releases.held.insert(number, known);
        Ok(())
    }

    fn recall_incident<M: Memory>(&mut self, number: usize, memory: &M) -> Result<(), M::Error> {
        if !self.incidents.held.contains_key(&number)
            && let Some(reported) = memory.incident(number)?
        {
            self.incidents.held.insert(number, reported);
        }
        Ok(())
    }

    /// A release and everything above or below it, as far as the rules follow it.
    fn recall_kin<M: Memory>(
        &mut self,
        number: usize,
        memory: &M,
        next: impl Fn(&Known) -> &Vec<usize>,
    ) -> Result<(), M::Error> {
        let mut seen = std::collections::BTreeSet::from([number]);
        let mut open = std::collections::VecDeque::from([number]);
        while let Some(number) = open.pop_front() {
            self.recall_release(number, memory)?;
            let kin = self.releases.get(number).map(|known| next(known).clone()).unwrap_or_default();
            // The rules follow the nearest first and stop: what is beyond that is not asked for.
            if seen.len() > super::ledger::MAX_DESCENDANTS {
                break;
            }
            open.extend(kin.into_iter().filter(|kin| seen.insert(*kin)));
        }
        Ok(())
    }
}

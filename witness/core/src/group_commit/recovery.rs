//! What a killed process left in the journals, at a start.

use std::collections::BTreeMap;

use stele_durable::{DurableError, Journal};
use stele_spec::hash::Digest;

use super::format::{self, Contents, Entry};
use super::group::{Files, GroupCommit, NAMES, Newest, in_order};

impl GroupCommit {
    /// Writes what a killed process left in the journals to the files, and empties the journals. Nobody else may work on the folder.
    ///
    /// On a full disk the journals stay as they are, and are gone on with.
    pub fn recover(&self) -> Result<(), DurableError> {
        let mut files = self.files();
        let found = self.on_disk()?;
        let newest = self.fitting(in_order(&found))?;
        if !newest.is_empty() {
            tracing::info!(files = newest.len(), "finishing what was recorded and is in no file of its own yet");
        }
        let written = self.0.dir.replace_all(newest.iter().map(|(name, fits)| (name, &fits.content)));
        let [first, second] = NAMES.map(|name| self.0.dir.journal(name, self.0.journal));
        let journals = [first?, second?];
        match written {
            Ok(()) => {}
            Err(error) if error.is_disk_full() => {
                *files = self.go_on(&found, journals).ok_or(error)??;
                tracing::warn!("the disk is full: the journals keep what is in no file of its own yet");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let last = found.iter().filter_map(|contents| contents.begun).map(|begun| begun.epoch).max();
        if last.is_some() {
            for journal in &journals {
                journal.write(0, &[0; format::ALIGNMENT])?;
            }
        }
        let begun = self.begin(last.map_or(0, |last| last.saturating_add(1)))?;
        *files = Files { journals: Some(journals), begun, ..Files::default() };
        Ok(())
    }

    /// The newest content of each file of which these entries hold a newer one than the file does.
    fn fitting<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<BTreeMap<String, Fitting>, DurableError> {
        let mut newest: BTreeMap<String, Fitting> = BTreeMap::new();
        for entry in entries {
            if let Some(fits) = newest.get_mut(&entry.name) {
                if Digest::of(&fits.content) == entry.before {
                    fits.content.clone_from(&entry.content);
                }
                continue;
            }
            let file = self.read(&entry.name)?.map(|content| Digest::of(&content));
            if file == Some(entry.before) {
                newest.insert(entry.name.clone(), Fitting { file, content: entry.content.clone() });
            }
        }
        Ok(newest)
    }

    /// The journals as they are, the newer one to be appended to; `None` where that is of the form without a salt.
    fn go_on(&self, found: &[Contents; 2], journals: [Journal; 2]) -> Option<Result<Files, DurableError>> {
        let [first, second] = found;
        let second_is_newer = second.begun.map(|begun| begun.epoch) > first.begun.map(|begun| begun.epoch);
        let (active, newer, older) = if second_is_newer { (1, second, first) } else { (0, first, second) };
        let begun = newer.begun.filter(|begun| begun.salt.is_some())?;
        // Some files may have been written before the disk was full: what is in them fits no more.
        let both = self.fitting(in_order(found)).and_then(|all| Ok((all, self.fitting(older.entries.iter())?)));
        let (all, of_older) = match both {
            Ok(both) => both,
            Err(error) => return Some(Err(error)),
        };
        let older_epoch = older.begun.map_or(begun.epoch, |older| older.epoch);
        let newest = all.into_iter().map(|(name, Fitting { file, content })| {
            let since = if of_older.contains_key(&name) { older_epoch } else { begun.epoch };
            (name, Newest { content, since, file, writing: None })
        });
        Some(Ok(Files {
            newest: newest.collect(),
            journals: Some(journals),
            active,
            begun,
            number: newer.number,
            offset: newer.offset,
            other_needed: !of_older.is_empty(),
            retry: !of_older.is_empty(),
            broken: None,
        }))
    }
}

/// A content that follows on what a file holds.
struct Fitting {
    file: Option<Digest>,
    content: Vec<u8>,
}

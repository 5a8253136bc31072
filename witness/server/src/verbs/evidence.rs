//! `evidence list` and `evidence export`.

use std::path::Path;

use serde_json::json;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::note::SignedNote;

use super::VerbOutput;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use stele_witness_core::evidence::{Evidence, Filed};

/// One line for each file.
pub(crate) fn list(home: &WitnessDir) -> Result<VerbOutput, WitnessError> {
    let all = home.archive()?.all()?;
    let text = all.iter().map(|filed| format!("{}\n", line(filed))).collect();
    let each = all.iter().map(|filed| {
        let (known, offered) = (head(&filed.evidence.known), head(&filed.evidence.offered));
        json!({
            "id": filed.id,
            "kind": filed.evidence.conflict.word(),
            "proof": filed.evidence.misbehaviour().is_some(),
            "origin": offered.as_ref().map(|head| head.origin().as_str()),
            "offered": offered.as_ref().map(|head| json!({"tree_size": head.size(), "root": head.root().to_string()})),
            "known": known.as_ref().map(|head| json!({"tree_size": head.size(), "root": head.root().to_string()})),
        })
    });
    Ok((text, json!({"evidence": each.collect::<Vec<_>>()})))
}

/// Copies what is kept to a folder, all of it or the one with this id, as files for `stele evidence`; of a suspicion `stele evidence verify`
/// says that it proves nothing yet. Files that are there are left as they are: their names follow from their content.
pub(crate) fn export(home: &WitnessDir, id: Option<&str>, out: &Path) -> Result<VerbOutput, WitnessError> {
    let all = home.archive()?.all()?;
    let chosen: Vec<&Filed> = all.iter().filter(|filed| id.is_none_or(|id| filed.id == id)).collect();
    if let (Some(id), true) = (id, chosen.is_empty()) {
        return Err(WitnessError::NoEvidence { id: id.to_owned() });
    }
    stele_durable::create_dir_all(out)?;
    let mut written = Vec::new();
    for filed in chosen {
        for (name, bytes) in files(&filed.evidence, &filed.id)?.into_iter() {
            let path = out.join(name);
            if !path.exists() {
                stele_durable::create_file(&path, &bytes, 0o644)?;
            }
            written.push(path.display().to_string());
        }
    }
    let text = written.iter().map(|path| format!("{path}\n")).collect();
    Ok((text, json!({"files": written})))
}

fn files(evidence: &Evidence, id: &str) -> Result<Option<(String, Vec<u8>)>, WitnessError> {
    let unfit = |reason| WitnessError::Unexportable { id: id.to_owned(), reason };
    let Some(file) = evidence.file() else { return Ok(None) };
    Ok(Some((file.file_name().map_err(unfit)?, file.to_bytes().map_err(unfit)?)))
}

fn line(filed: &Filed) -> String {
    let Filed { id, evidence } = filed;
    let (known, offered) = (head(&evidence.known), head(&evidence.offered));
    let origin = offered.as_ref().map_or("?", |head| head.origin().as_str());
    let size = |head: &Option<Checkpoint>| head.as_ref().map_or("none".to_owned(), |head| head.size().to_string());
    let weight = if evidence.misbehaviour().is_some() { "proof" } else { "suspicion" };
    let (offered, known) = (size(&offered), size(&known));
    if evidence.step.is_some() {
        return format!("{:<8} {origin} size {offered}, {weight}  {id}", evidence.conflict.word());
    }
    format!("{:<8} {origin} size {offered} against {known}, {weight}  {id}", evidence.conflict.word())
}

fn head(note: &[u8]) -> Option<Checkpoint> {
    Checkpoint::parse(SignedNote::parse(note).ok()?.text()).ok()
}

//! `mirror verify`.

use serde_json::json;
use stele_terminal::finish::Output;

use crate::error::WitnessError;
use crate::home::WitnessDir;

/// A line for each copy, and an error beside them if one is not whole or there is none.
pub(crate) fn verify(home: &WitnessDir) -> Result<Output, WitnessError> {
    let (mut text, mut each, mut failed) = (String::new(), Vec::new(), 0);
    let copies = home.verify_mirror()?;
    for copy in &copies {
        let (origin, size) = (&copy.origin, copy.size);
        let (words, problem) = match &copy.found {
            None => (format!("none {origin} nothing is mirrored yet"), None),
            Some(Ok(whole)) => {
                let (manifests, missing) = (whole.manifests, whole.missing);
                let words = format!("ok   {origin} {size} entries, {manifests} manifests, {missing} manifests missing");
                (words, None)
            }
            Some(Err(error)) => (format!("FAIL {origin} size {size}: {error}"), Some(error.to_string())),
        };
        failed += usize::from(problem.is_some());
        text += &format!("{words}\n");
        each.push(json!({"origin": origin.as_str(), "tree_size": size, "problem": problem}));
    }
    let looked_at = copies.iter().any(|copy| copy.found.is_some());
    let error = match failed {
        0 if !looked_at => Some(WitnessError::NothingMirrored { mirrored: copies.len() }),
        0 => None,
        failed => Some(WitnessError::Unwell { failed, checks: copies.len() }),
    };
    Ok(Output::from((text, json!({"copies": each}))).with_failure(error))
}

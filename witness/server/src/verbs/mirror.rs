//! `mirror verify`.

use serde_json::json;

use super::VerbOutput;
use crate::error::WitnessError;
use crate::home::WitnessDir;

/// A line for each copy; the second is the error to end with, if one is not whole.
pub(crate) fn verify(home: &WitnessDir) -> Result<(VerbOutput, Option<WitnessError>), WitnessError> {
    let (mut text, mut each, mut failed) = (String::new(), Vec::new(), 0);
    let copies = home.verify_mirror()?;
    for copy in &copies {
        let (origin, size) = (&copy.origin, copy.size);
        let (words, problem) = match &copy.found {
            None => (format!("ok   {origin} nothing is mirrored yet"), None),
            Some(Ok(whole)) => {
                let (manifests, missing) = (whole.manifests, whole.missing);
                let words = format!("ok   {origin} {size} entries, {manifests} manifests, {missing} manifests missing");
                (words, None)
            }
            Some(Err(error)) => (format!("FAIL {origin} size {size}: {error}"), Some(error.to_string())),
        };
        failed += usize::from(problem.is_some());
        text += &format!("{words}\n");
        each.push(json!({"origin": origin.as_str(), "size": size, "problem": problem}));
    }
    let error = (failed > 0).then_some(WitnessError::Unwell { failed, checks: copies.len() });
    Ok(((text, json!({"copies": each})), error))
}

//! The licences that the files of a release name in the place of that of the record: in the model card, else in a GGUF header.

use std::path::PathBuf;

use stele_spec::manifest::FilePath;

use crate::bases::bytes;
use crate::card::Card;
use crate::gguf::Header;
use crate::licences::{self, SaidLicence};

/// The file that names licences, and those of them that an expression is not. What cannot be read is told by who looks for base models.
pub fn other_licences(files: &[(FilePath, PathBuf)], spdx: &str) -> Option<(FilePath, Vec<String>)> {
    let card = files.iter().find(|(path, _)| path.as_str() == "README.md");
    let card = card.and_then(|(path, open)| Some((path, Card::parse(&bytes(open).ok()?).ok()?.card)));
    let by_card = card.map(|(path, card)| (path, card.all("license"), card.first("license_name").is_some()));
    let by_header = || {
        let (path, open) = files.iter().find(|(path, _)| path.as_str().to_ascii_lowercase().ends_with(".gguf"))?;
        Some((path, vec![Header::read(open).ok()?.license?], false))
    };
    let (path, said, is_named) = by_card.filter(|(_, said, _)| !said.is_empty()).or_else(by_header)?;
    // A licence that SPDX does not list has the name that its publisher chose, and the hub's tag is another one.
    let is_own = spdx.contains("LicenseRef-");
    let is_another_name = |tag: &&str| {
        let own = |said| matches!(said, SaidLicence::Certain { spdx, .. } if spdx.contains("LicenseRef-"));
        !is_own || !own(licences::of_tag(tag))
    };
    let others = licences::others(&said, spdx, is_named).into_iter().filter(is_another_name);
    let others: Vec<String> = others.map(str::to_owned).collect();
    (!others.is_empty()).then(|| (path.clone(), others))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(front: &str, spdx: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("README.md");
        std::fs::write(&open, format!("---\n{front}\n---\n# Tiny\n")).unwrap();
        other_licences(&[("README.md".parse().unwrap(), open)], spdx).map(|(_, named)| named).unwrap_or_default()
    }

    #[test]
    fn a_card_that_names_another_licence_is_told_and_one_that_means_the_same_is_not() {
        for (front, spdx) in [
            ("license: apache-2.0", "Apache-2.0"),
            ("license: Apache 2.0", "Apache-2.0"),
            ("license: gpl-3.0", "GPL-3.0-or-later"),
            ("license: [apache-2.0, mit]", "Apache-2.0 OR MIT"),
            ("license: llama3.1", "LicenseRef-Llama-3.1-Community"),
            ("license: other\nlicense_name: acme", "LicenseRef-Acme"),
            ("license: other", "Apache-2.0"),
            ("title: none", "Apache-2.0"),
        ] {
            assert_eq!(others(front, spdx), Vec::<String>::new(), "{front} {spdx}");
        }
        for (front, spdx, named) in [
            ("license: cc-by-nc-4.0", "Apache-2.0", "cc-by-nc-4.0"),
            ("license: mit", "LicenseRef-Acme", "mit"),
            ("license: llama3.1", "MIT", "llama3.1"),
            ("license: [apache-2.0, mit]", "Apache-2.0", "mit"),
            ("license: apache-2.0", "Apache-2.0 AND CC-BY-NC-4.0", "apache-2.0"),
            ("license: acme-research", "MIT", "acme-research"),
            ("license: other\nlicense_name: acme", "MIT", "other"),
        ] {
            assert_eq!(others(front, spdx), [named], "{front} {spdx}");
        }
    }
}

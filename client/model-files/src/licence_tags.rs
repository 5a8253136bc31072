//! The licence tags of the Hugging Face Hub, and what each is in SPDX.
//!
//! All rows of `docs/hub/repositories-licenses.md` of github.com/huggingface/hub-docs at commit 242f4a1e (2026-08-22), whose list was last
//! changed on 2026-06-06. The ids are those of the SPDX list 3.29.0.

/// What a tag says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// One licence of the SPDX list.
    Listed(&'static str),
    /// A family, or an id that does not say whether later versions are let in: a person has to choose.
    Family(&'static [&'static str]),
    /// A licence that SPDX does not list, by the name that it gets; and whether it restricts uses, where that is known.
    Own(&'static str, Option<bool>),
    /// No licence: `other`, `unknown`.
    None,
}

use Tag::{Family, Listed, Own};

/// The tags, in the order of the hub's list.
pub(crate) const TAGS: [(&str, Tag); 83] = [
    ("apache-2.0", Listed("Apache-2.0")),
    ("mit", Listed("MIT")),
    (
        "openrail",
        Family(&[
            "LicenseRef-bigscience-openrail-m",
            "LicenseRef-creativeml-openrail-m",
            "LicenseRef-bigcode-openrail-m",
        ]),
    ),
    ("bigscience-openrail-m", Own("LicenseRef-bigscience-openrail-m", Some(true))),
    ("creativeml-openrail-m", Own("LicenseRef-creativeml-openrail-m", Some(true))),
    ("bigscience-bloom-rail-1.0", Own("LicenseRef-bigscience-bloom-rail-1.0", Some(true))),
    ("bigcode-openrail-m", Own("LicenseRef-bigcode-openrail-m", Some(true))),
    ("afl-3.0", Listed("AFL-3.0")),
    ("artistic-2.0", Listed("Artistic-2.0")),
    ("bsl-1.0", Listed("BSL-1.0")),
    ("bsd", Family(&["BSD-3-Clause", "BSD-2-Clause", "BSD-3-Clause-Clear", "BSD-4-Clause", "0BSD"])),
    ("bsd-2-clause", Listed("BSD-2-Clause")),
    ("bsd-3-clause", Listed("BSD-3-Clause")),
    ("bsd-3-clause-clear", Listed("BSD-3-Clause-Clear")),
    ("c-uda", Listed("C-UDA-1.0")),
    ("cc", Family(&["CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC0-1.0"])),
    ("cc0-1.0", Listed("CC0-1.0")),
    ("cc-by-2.0", Listed("CC-BY-2.0")),
    ("cc-by-2.5", Listed("CC-BY-2.5")),
    ("cc-by-3.0", Listed("CC-BY-3.0")),
    ("cc-by-4.0", Listed("CC-BY-4.0")),
    ("cc-by-sa-3.0", Listed("CC-BY-SA-3.0")),
    ("cc-by-sa-4.0", Listed("CC-BY-SA-4.0")),
    ("cc-by-nc-2.0", Listed("CC-BY-NC-2.0")),
    ("cc-by-nc-3.0", Listed("CC-BY-NC-3.0")),
    ("cc-by-nc-4.0", Listed("CC-BY-NC-4.0")),
    ("cc-by-nd-4.0", Listed("CC-BY-ND-4.0")),
    ("cc-by-nc-nd-3.0", Listed("CC-BY-NC-ND-3.0")),
    ("cc-by-nc-nd-4.0", Listed("CC-BY-NC-ND-4.0")),
    ("cc-by-nc-sa-2.0", Listed("CC-BY-NC-SA-2.0")),
    ("cc-by-nc-sa-3.0", Listed("CC-BY-NC-SA-3.0")),
    ("cc-by-nc-sa-4.0", Listed("CC-BY-NC-SA-4.0")),
    ("cdla-sharing-1.0", Listed("CDLA-Sharing-1.0")),
    ("cdla-permissive-1.0", Listed("CDLA-Permissive-1.0")),
    ("cdla-permissive-2.0", Listed("CDLA-Permissive-2.0")),
    ("wtfpl", Listed("WTFPL")),
    ("ecl-2.0", Listed("ECL-2.0")),
    ("epl-1.0", Listed("EPL-1.0")),
    ("epl-2.0", Listed("EPL-2.0")),
    ("etalab-2.0", Listed("etalab-2.0")),
    ("eupl-1.1", Listed("EUPL-1.1")),
    ("eupl-1.2", Listed("EUPL-1.2")),
    ("agpl-3.0", Family(&["AGPL-3.0-only", "AGPL-3.0-or-later"])),
    ("gfdl", Family(&["GFDL-1.3-only", "GFDL-1.3-or-later", "GFDL-1.2-only", "GFDL-1.2-or-later"])),
    ("gpl", Family(&["GPL-3.0-only", "GPL-3.0-or-later", "GPL-2.0-only", "GPL-2.0-or-later"])),
    ("gpl-2.0", Family(&["GPL-2.0-only", "GPL-2.0-or-later"])),
    ("gpl-3.0", Family(&["GPL-3.0-only", "GPL-3.0-or-later"])),
    ("lgpl", Family(&["LGPL-3.0-only", "LGPL-3.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later"])),
    ("lgpl-2.1", Family(&["LGPL-2.1-only", "LGPL-2.1-or-later"])),
    ("lgpl-3.0", Family(&["LGPL-3.0-only", "LGPL-3.0-or-later"])),
    ("isc", Listed("ISC")),
    ("h-research", Own("LicenseRef-h-research", Some(true))),
    ("intel-research", Own("LicenseRef-intel-research", Some(true))),
    ("lppl-1.3c", Listed("LPPL-1.3c")),
    ("ms-pl", Listed("MS-PL")),
    ("apple-ascl", Own("LicenseRef-apple-ascl", None)),
    ("apple-amlr", Own("LicenseRef-apple-amlr", Some(true))),
    ("mpl-2.0", Listed("MPL-2.0")),
    ("odc-by", Listed("ODC-By-1.0")),
    ("odbl", Listed("ODbL-1.0")),
    ("openmdw-1.0", Listed("OpenMDW-1.0")),
    // Of 2026, and not yet on the list.
    ("openmdw-1.1", Own("LicenseRef-openmdw-1.1", None)),
    ("openrail++", Own("LicenseRef-openrail-plus-plus", Some(true))),
    ("osl-3.0", Listed("OSL-3.0")),
    ("postgresql", Listed("PostgreSQL")),
    ("ofl-1.1", Listed("OFL-1.1")),
    ("ncsa", Listed("NCSA")),
    ("unlicense", Listed("Unlicense")),
    ("zlib", Listed("Zlib")),
    ("pddl", Listed("PDDL-1.0")),
    ("lgpl-lr", Listed("LGPLLR")),
    ("deepfloyd-if-license", Own("LicenseRef-deepfloyd-if-license", Some(true))),
    ("fair-noncommercial-research-license", Own("LicenseRef-fair-noncommercial-research-license", Some(true))),
    ("llama2", Own("LicenseRef-llama2", Some(true))),
    ("llama3", Own("LicenseRef-llama3", Some(true))),
    ("llama3.1", Own("LicenseRef-llama3.1", Some(true))),
    ("llama3.2", Own("LicenseRef-llama3.2", Some(true))),
    ("llama3.3", Own("LicenseRef-llama3.3", Some(true))),
    ("llama4", Own("LicenseRef-llama4", Some(true))),
    ("grok2-community", Own("LicenseRef-grok2-community", Some(true))),
    ("gemma", Own("LicenseRef-gemma", Some(true))),
    ("unknown", Tag::None),
    ("other", Tag::None),
];

/// What a tag of the hub says; nothing where the hub has no such tag.
pub(crate) fn of_hub(tag: &str) -> Option<Tag> {
    TAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map(|(_, says)| *says)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stele_spec::finding::{LicenceList, Listing, SpdxList};
    use stele_spec::statement::LicenceExpression;

    use super::*;

    #[test]
    fn every_id_is_on_the_list_as_it_is_written_or_a_reference() {
        assert_eq!(TAGS.iter().map(|(tag, _)| tag).collect::<BTreeSet<_>>().len(), TAGS.len(), "each once");
        let ids = |tag: &Tag| match tag {
            Listed(id) | Own(id, _) => vec![*id],
            Family(ids) => ids.to_vec(),
            Tag::None => vec![],
        };
        for (tag, id) in TAGS.iter().flat_map(|(tag, says)| ids(says).into_iter().map(move |id| (tag, id))) {
            let expression = LicenceExpression::parse(id).unwrap();
            let listed = SpdxList.licence(expression.terms()[0]) == Listing::Listed;
            assert_eq!(listed, !id.starts_with("LicenseRef-"), "{tag}: {id}");
        }
    }
}

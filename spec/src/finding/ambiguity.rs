//! Artifact ambiguity: a name that does not say which object it is.

use std::collections::BTreeSet;

use super::Code;
use super::sheet::{Sheet, shown, shown_list};
use crate::manifest::Manifest;
use crate::statement::{Artifact, HostType, Release};

/// Words of names that say a kind of object.
const KINDS: [(&str, Artifact); 18] = [
    ("adapter", Artifact::Adapter),
    ("aqlm", Artifact::Quantized),
    ("awq", Artifact::Quantized),
    ("base", Artifact::Base),
    ("bnb", Artifact::Quantized),
    ("chat", Artifact::Instruct),
    ("distill", Artifact::Distilled),
    ("distilled", Artifact::Distilled),
    ("exl2", Artifact::Quantized),
    ("exl3", Artifact::Quantized),
    ("gptq", Artifact::Quantized),
    ("hqq", Artifact::Quantized),
    ("instruct", Artifact::Instruct),
    ("lora", Artifact::Adapter),
    ("merge", Artifact::Merge),
    ("merged", Artifact::Merge),
    ("qlora", Artifact::Adapter),
    ("quantized", Artifact::Quantized),
];

/// Formats of weights that one can tell from the ends of their names.
const FORMATS: [&str; 5] = ["ggml", "gguf", "llamafile", "onnx", "safetensors"];

/// Words that name something else tomorrow.
const FLOATING: [&str; 11] =
    ["current", "default", "dev", "head", "latest", "main", "master", "nightly", "refs/heads/main", "stable", "trunk"];

/// Variants that every model of a family can have.
const GENERIC: [&str; 6] = ["base", "chat", "default", "instruct", "main", "model"];

pub(super) fn check(release: &Release, manifest: Option<&Manifest>, sheet: &mut Sheet) {
    let names = names(release, manifest);
    kinds(release, &names, sheet);
    bits(release, &names, sheet);
    formats(release, manifest, sheet);
    references(release, sheet);
    family(release, sheet);
}

/// A name, and the words of it.
struct Name {
    text: String,
    words: Vec<String>,
}

/// The variant, then the weights files.
fn names(release: &Release, manifest: Option<&Manifest>) -> Vec<Name> {
    let variant = release.model.variant.as_str();
    let files = manifest.into_iter().flat_map(Manifest::weights).map(|file| file.path.file_name());
    core::iter::once(variant).chain(files).map(|text| Name { text: text.to_owned(), words: words(text) }).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// What a word says that the object is.
fn kind_of(word: &str) -> Option<Artifact> {
    let listed = KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
    listed.or_else(|| bits_of(word).map(|_| Artifact::Quantized))
}

/// The bits of a weight that a word of a scheme says: `q4`, `iq3`, `int8`, `4bit`, `w4a16`, `nf4`, `fp8`. Sixteen bits and
/// more are no quantization.
fn bits_of(word: &str) -> Option<u32> {
    let digits = |text: &str| text.parse::<u32>().ok().filter(|bits| (1..=8).contains(bits));
    let after = |prefix: &str| word.strip_prefix(prefix).and_then(digits);
    ["q", "iq", "tq", "int", "uint", "nf", "fp", "mxfp", "nvfp"]
        .iter()
        .find_map(|prefix| after(prefix))
        .or_else(|| word.strip_suffix("bit").and_then(digits))
        .or_else(|| word.strip_suffix("bits").and_then(digits))
        .or_else(|| word.strip_prefix('w').and_then(|rest| rest.split_once('a')).and_then(|(w, _)| digits(w)))
}

/// A quantized artifact is named after what it is made of, so that only what contradicts `quantized` itself counts.
fn kinds(release: &Release, names: &[Name], sheet: &mut Sheet) {
    let artifact = release.model.artifact;
    let mut seen = BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        // Files are named after much else: only a quantization is said of a file's own bytes.
        // A model that was trained in few bits is named after them.
        let few_bits = release.model.quantization.is_some();
        let counts = |kind: &Artifact| if *kind == Artifact::Quantized { !few_bits } else { at == 0 };
        for word in &name.words {
            let kind = kind_of(word).filter(|kind| contradicts(artifact, *kind)).filter(counts);
            let Some(kind) = kind else { continue };
            if !seen.insert(word.clone()) {
                continue;
            }
            let evidence =
                vec![shown("artifact", artifact), shown("named", &name.text), shown("word", word), shown("kind", kind)];
            let summary = format!("{} is said to be {artifact}, and its name says {kind}", name.text);
            sheet.report(Code::KindDiffers, summary, evidence);
        }
    }
    let said = |kind| names.iter().take(1).flat_map(|name| &name.words).any(|word| kind_of(word) == Some(kind));
    let in_model = words(release.model.name.as_str()).iter().any(|word| kind_of(word) == Some(artifact));
    let with_words = matches!(artifact, Artifact::Quantized | Artifact::Adapter | Artifact::Merge);
    let gguf =
        artifact == Artifact::Quantized && words(release.model.variant.as_str()).iter().any(|word| word == "gguf");
    if with_words && !said(artifact) && !in_model && !gguf {
        let evidence = vec![shown("artifact", artifact), shown("variant", &release.model.variant)];
        let summary = format!("the artifact is {artifact}, and its name does not say so");
        sheet.report(Code::KindUnsaid, summary, evidence);
    }
}

/// Whether a word of a name and the stated kind cannot both be right.
fn contradicts(artifact: Artifact, word: Artifact) -> bool {
    match (artifact, word) {
        // Whatever is quantized, merged, adapted, served or saved midway is named after what it is made of as well.
        (Artifact::Quantized | Artifact::HostedService | Artifact::Checkpoint, _) => false,
        (Artifact::Merge | Artifact::Adapter, Artifact::Quantized) => artifact == Artifact::Merge,
        (Artifact::Merge | Artifact::Adapter | Artifact::Distilled, Artifact::Base | Artifact::Instruct) => false,
        (Artifact::Merge, Artifact::Distilled | Artifact::Adapter) | (Artifact::Adapter, Artifact::Distilled) => false,
        // A model made of the outputs of another is often trained to follow instructions, and called both.
        (Artifact::Instruct, Artifact::Distilled) => false,
        _ => artifact != word,
    }
}

fn bits(release: &Release, names: &[Name], sheet: &mut Sheet) {
    let Some(quantization) = &release.model.quantization else { return };
    let words_of = words(quantization.as_str());
    let mut said: BTreeSet<u32> = words_of.iter().filter_map(|word| bits_of(word)).collect();
    said.extend(words_of.iter().filter_map(|word| word.parse::<u32>().ok()));
    if said.is_empty() {
        return;
    }
    for name in names {
        let named: BTreeSet<u32> = name.words.iter().filter_map(|word| bits_of(word)).collect();
        if named.is_empty() || !named.is_disjoint(&said) {
            continue;
        }
        let mut evidence = vec![shown("quantization", quantization), shown("named", &name.text)];
        evidence.extend(shown_list("bits", named));
        let summary = format!("{} is named with other bits than {quantization}", name.text);
        sheet.report(Code::QuantizationDiffers, summary, evidence);
    }
}

fn formats(release: &Release, manifest: Option<&Manifest>, sheet: &mut Sheet) {
    let formats: BTreeSet<&str> = release.model.formats.iter().map(|format| format.as_str()).collect();
    let mut seen = BTreeSet::new();
    let variant = release.model.variant.as_str();
    let by_variant = words(variant).into_iter().map(|word| (variant, word));
    let files = manifest.into_iter().flat_map(Manifest::weights).map(|file| file.path.file_name());
    let by_file = files.filter_map(|name| Some((name, name.rsplit_once('.')?.1.to_ascii_lowercase())));
    for (name, format) in by_variant.chain(by_file) {
        if !FORMATS.contains(&format.as_str()) || formats.contains(format.as_str()) || !seen.insert(format.clone()) {
            continue;
        }
        let mut evidence = shown_list("formats", &formats);
        evidence.extend([shown("named", name), shown("format", &format)]);
        let summary = format!("{name} is {format}, which is not among the formats");
        sheet.report(Code::FormatDiffers, summary, evidence);
    }
}

/// Whether what does not move at such a host is a commit.
fn has_commits(host: HostType) -> bool {
    matches!(host, HostType::Huggingface | HostType::Git)
}

/// A commit's digest, or enough of its beginning.
fn is_commit(revision: &str) -> bool {
    (7..=64).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn references(release: &Release, sheet: &mut Sheet) {
    let mut report = |field: String, value: &str| {
        let summary = format!("{field} names something that moves: {value}");
        sheet.report(Code::ReferenceFloating, summary, vec![shown("field", field), shown("value", value)]);
    };
    let floats = |word: &str| FLOATING.contains(&word.to_ascii_lowercase().as_str());
    if floats(release.model.version.as_str()) {
        report("model.version".to_owned(), release.model.version.as_str());
    }
    if let Some(purl) = release.model.purl.as_ref().filter(|purl| is_family(purl.as_str(), floats)) {
        report("model.purl".to_owned(), purl.as_str());
    }
    for (n, ancestor) in release.lineage.iter().enumerate() {
        if let Some(purl) = ancestor.parent.purl()
            && is_family(purl.as_str(), floats)
        {
            report(format!("lineage[{n}].parent.purl"), purl.as_str());
        }
    }
    for (n, host) in release.hosts.iter().enumerate() {
        let moves = |revision: &str| floats(revision) || (has_commits(host.kind) && !is_commit(revision));
        if let Some(revision) = host.revision.as_ref().filter(|revision| moves(revision.as_str())) {
            report(format!("hosts[{n}].revision"), revision.as_str());
        }
    }
}

/// A package URL without a version, or with one that moves: it names a family, not an object.
fn is_family(purl: &str, floats: impl Fn(&str) -> bool) -> bool {
    let path = purl.split(['?', '#']).next().unwrap_or_default();
    // An `@` of a scope is percent-encoded; the version follows the last one, after the name.
    match path.rsplit_once('@') {
        Some((_, version)) if !version.contains('/') => version.is_empty() || floats(version),
        _ => true,
    }
}

fn family(release: &Release, sheet: &mut Sheet) {
    let model = &release.model;
    let Some(family) = &model.family else { return };
    let plain = |text: &str| words(text).concat();
    let generic = GENERIC.contains(&model.variant.as_str());
    if plain(family.as_str()) == plain(model.name.as_str()) && generic && model.parameters.is_none() {
        let evidence = vec![shown("model", &model.name), shown("family", family)];
        sheet.report(Code::FamilyOnly, "the model is named as its family, and nothing says its size", evidence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_schemes_say_their_bits() {
        for (word, bits) in [("q4", 4), ("iq3", 3), ("int8", 8), ("4bit", 4), ("w4a16", 4), ("nf4", 4), ("fp8", 8)] {
            assert_eq!(bits_of(word), Some(bits), "{word}");
        }
        for word in ["f16", "fp16", "bf16", "int32", "q", "instruct", "8b", "v2", "k", "m", "00001"] {
            assert_eq!(bits_of(word), None, "{word}");
        }
    }

    #[test]
    fn a_purl_without_a_version_is_a_family() {
        let floats = |word: &str| word == "main";
        assert!(is_family("pkg:huggingface/acme/tiny", floats));
        assert!(is_family("pkg:huggingface/acme/tiny@main", floats));
        assert!(is_family("pkg:npm/@acme/tiny", floats));
        assert!(!is_family("pkg:huggingface/acme/tiny@9f2d", floats));
        assert!(!is_family("pkg:huggingface/acme/tiny@9f2d?repository_url=x", floats));
    }
}

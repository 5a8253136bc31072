//! `stele draft`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Args;
use stele_publish::draft::Preset;
use stele_spec::name::{Model, Publisher, Variant, Version};

use super::log::LogArgs;

/// `stele draft`.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// The folder with the weights.
    pub folder: PathBuf,
    /// Who releases it: `acme.example` or `huggingface.co/acme`; else who publisher.toml or OLD says.
    #[arg(long)]
    pub publisher: Option<Publisher>,
    /// The model's name: `tiny`.
    #[arg(long)]
    pub model: Option<Model>,
    /// Its version: `1.0.2`.
    #[arg(long)]
    pub model_version: Option<Version>,
    /// Which object of the version: `base`, `instruct`, `instruct-gguf-q4_k_m`.
    #[arg(long)]
    pub variant: Option<Variant>,
    /// An earlier release whose decisions go on where this folder says nothing else: a release.toml, a release.stele, a folder that
    /// has one, or a coordinate in the log. Version, days and results never do.
    #[arg(long, value_name = "OLD")]
    pub from: Option<String>,
    /// What you answer alike in every release; else $STELE_DEFAULTS, else ~/.config/stele/publisher.toml.
    #[arg(long, value_name = "FILE")]
    pub defaults: Option<PathBuf>,
    /// Answers for a kind of release, each shown in the draft: small-research, embedding, quantization-of COORDINATE, adapter-of
    /// COORDINATE. May be given again.
    #[arg(long, value_name = "PRESET")]
    pub preset: Vec<Preset>,
    /// Where to write; else release.toml in the folder. `-` is stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Whom to ask about OLD.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// Presets that have the name of a release behind them, as a word of its own.
const WITH_RELEASE: [&str; 2] = ["quantization-of", "adapter-of"];

/// The command line with a preset and its release in one word: `--preset quantization-of COORDINATE` has two.
pub(super) fn join_presets(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut arguments = arguments.peekable();
    let mut is_over = false;
    while let Some(mut argument) = arguments.next() {
        is_over |= argument == "--";
        let is_value = joined.last().is_some_and(|last| last == "--preset");
        let preset =
            argument.to_str().map(|text| text.strip_prefix("--preset=").map_or((is_value, text), |name| (true, name)));
        let is_preset = preset.is_some_and(|(is_preset, name)| is_preset && WITH_RELEASE.contains(&name));
        let is_option = |next: &OsString| next.as_encoded_bytes().starts_with(b"-");
        if is_preset
            && !is_over
            && let Some(release) = arguments.next_if(|next| !is_option(next))
        {
            argument.push(OsStr::new("="));
            argument.push(release);
        }
        joined.push(argument);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_takes_its_release_and_nothing_else() {
        let joined = |line: &str| {
            let words = line.split(' ').map(OsString::from);
            join_presets(words).into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        for (given, expected) in [
            ("stele draft --preset quantization-of a/b@1#c m", "stele draft --preset quantization-of=a/b@1#c m"),
            ("stele draft --preset=adapter-of a/b@1#c m", "stele draft --preset=adapter-of=a/b@1#c m"),
            ("stele draft --preset small-research m", "stele draft --preset small-research m"),
            ("stele draft --preset quantization-of --json m", "stele draft --preset quantization-of --json m"),
            ("stele draft --preset quantization-of", "stele draft --preset quantization-of"),
            ("stele draft m --from quantization-of a", "stele draft m --from quantization-of a"),
            ("stele draft -- --preset adapter-of a", "stele draft -- --preset adapter-of a"),
        ] {
            assert_eq!(joined(given), expected);
        }
    }
}

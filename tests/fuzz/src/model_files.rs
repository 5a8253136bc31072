//! What is read of a model's files before anything is known of them: headers, archives, cards, configurations, results. The first byte picks the
//! reader.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::OnceLock;

use stele_model_files::card::Card;
use stele_model_files::config::{AdapterConfig, Config};
use stele_model_files::content::Content;
use stele_model_files::yaml::Yaml;
use stele_model_files::{evaluation, gguf, licences, numpy, onnx, safetensors, zip};

/// A file in memory, for readers that open one.
fn file(bytes: &[u8]) -> Option<PathBuf> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| PathBuf::from(format!("/dev/shm/stele-fuzz-{}", std::process::id())));
    fs::write(path, bytes).ok()?;
    Some(path.clone())
}

/// One input.
pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let (size, cursor) = (bytes.len() as u64, || Cursor::new(bytes));
    match which % 8 {
        0 => drop(file(bytes).map(|path| gguf::Header::read(&path))),
        1 => drop(file(bytes).map(|path| safetensors::tensors(&path, size))),
        2 => {
            let _ =
                (onnx::is_model(cursor(), size), onnx::producer(cursor(), size), onnx::external_data(cursor(), size));
        }
        3 => {
            let _ = (zip::holds_pickle(cursor(), size), zip::is_cut(cursor(), size), numpy::holds_pickle(bytes));
        }
        4 => {
            let Ok(read) = Card::parse(bytes) else { return };
            let card = read.card;
            for field in ["license", "base_model", "language", "datasets", "tags"] {
                let _ = (card.first(field), card.all(field), card.odd(field));
            }
            let _ = (card.bases().count(), card.odd_base());
        }
        5 => {
            let _ = (Config::parse(bytes), AdapterConfig::parse(bytes), evaluation::results(bytes));
        }
        6 => drop(licences::of_text(bytes)),
        _ => {
            let _ = Content::of(cursor(), size);
            if let Ok(text) = std::str::from_utf8(bytes) {
                let _ = (Yaml::parse(text), licences::of_tag(text), licences::of_name(text));
            }
        }
    }
}

/// The texts of licences are made ready once, which takes seconds here.
pub fn begin() {
    drop(licences::of_text(b"MIT License"));
}

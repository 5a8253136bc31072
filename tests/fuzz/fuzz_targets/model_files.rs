//! What is read of a model's files before anything is known of them: headers, archives, cards, configurations, results.
#![no_main]

libfuzzer_sys::fuzz_target!(init: stele_fuzz::model_files::begin(), |data: &[u8]| stele_fuzz::model_files::run(data));

//! The GGUF files of a folder as models: the pieces of a split one together, and apart from what goes with a model.

use std::collections::BTreeMap;

use stele_spec::manifest::FilePath;

use crate::gguf::Header;
use crate::parts::split_stem;

/// A GGUF file and its header.
#[derive(Debug)]
pub struct GgufFile {
    /// Where it is.
    pub path: FilePath,
    /// What it says.
    pub header: Header,
}

/// One model: a file, or the pieces of one.
#[derive(Debug)]
pub struct GgufModel {
    /// The piece that has the keys of the whole.
    first: GgufFile,
    rest: Vec<GgufFile>,
}

impl GgufModel {
    /// The models among files, in the order of their names.
    pub fn all(files: impl IntoIterator<Item = GgufFile>) -> Vec<Self> {
        let mut sets: BTreeMap<String, Self> = BTreeMap::new();
        for file in files {
            let is_piece = file.header.split_count.is_some_and(|count| count > 1);
            let stem = split_stem(file.path.as_str()).filter(|_| is_piece);
            let set = stem.unwrap_or(file.path.as_str()).to_owned();
            match sets.remove(&set) {
                None => {
                    sets.insert(set, Self { first: file, rest: Vec::new() });
                }
                Some(model) => {
                    sets.insert(set, model.with(file));
                }
            }
        }
        sets.into_values().collect()
    }

    fn with(mut self, file: GgufFile) -> Self {
        let is_better = self.first.header.architecture.is_none() && file.header.architecture.is_some();
        self.rest.push(if is_better { std::mem::replace(&mut self.first, file) } else { file });
        self
    }

    /// The header of the whole.
    pub fn header(&self) -> &Header {
        &self.first.header
    }

    /// The file whose header it is.
    pub fn path(&self) -> &FilePath {
        &self.first.path
    }

    /// The numbers of all pieces together; nothing where a piece is not here or says none.
    pub fn parameters(&self) -> Option<u64> {
        let count = self.header().split_count.unwrap_or(1).max(1);
        if self.rest.len() as u64 + 1 != count {
            return None;
        }
        // A piece can hold no tensor (`--no-tensor-first-split`).
        let pieces = std::iter::once(&self.first).chain(&self.rest);
        let sum = pieces.map(|piece| piece.header.parameters.unwrap_or(0)).try_fold(0_u64, u64::checked_add);
        sum.filter(|sum| *sum > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, split: Option<u64>, parameters: Option<u64>, architecture: Option<&str>) -> GgufFile {
        let mut header = Header::default();
        (header.split_count, header.parameters) = (split, parameters);
        header.architecture = architecture.map(str::to_owned);
        GgufFile { path: path.parse().unwrap(), header }
    }

    #[test]
    fn pieces_are_one_model_and_are_counted_only_together() {
        let pieces = || {
            [
                file("q/t-00001-of-00003.gguf", Some(3), None, Some("llama")),
                file("q/t-00002-of-00003.gguf", Some(3), Some(10), None),
                file("q/t-00003-of-00003.gguf", Some(3), Some(5), None),
            ]
        };
        let models = GgufModel::all(pieces());
        assert_eq!((models.len(), models[0].parameters()), (1, Some(15)));
        assert_eq!(models[0].path().as_str(), "q/t-00001-of-00003.gguf");
        let some = GgufModel::all(pieces().into_iter().skip(1));
        assert_eq!(some[0].parameters(), None, "a piece is not here");
        let turned = GgufModel::all(pieces().into_iter().rev());
        assert_eq!(turned[0].header().architecture.as_deref(), Some("llama"));
    }

    #[test]
    fn files_of_their_own_are_models_of_their_own() {
        let models = GgufModel::all([file("a-Q4.gguf", None, Some(7), None), file("a-Q8.gguf", None, Some(7), None)]);
        assert_eq!(models.iter().map(GgufModel::parameters).collect::<Vec<_>>(), [Some(7), Some(7)]);
    }
}

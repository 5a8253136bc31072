//! `general.file_type` of a GGUF header: the names of llama.cpp's `llama_ftype`, as `LlamaFileType` of the Python package gguf 0.19 has
//! them. Numbers that were withdrawn are kept: their files are still about.

/// Added to the number of a type that is a guess.
const GUESSED: u64 = 1024;

/// Files of these types are not quantized.
const FULL: [(u64, &str); 3] = [(0, "F32"), (1, "F16"), (32, "BF16")];

const QUANTIZED: [(u64, &str); 38] = [
    (2, "Q4_0"),
    (3, "Q4_1"),
    (4, "Q4_1_SOME_F16"),
    (5, "Q4_2"),
    (6, "Q4_3"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (33, "Q4_0_4_4"),
    (34, "Q4_0_4_8"),
    (35, "Q4_0_8_8"),
    (36, "TQ1_0"),
    (37, "TQ2_0"),
    (38, "MXFP4_MOE"),
    (39, "NVFP4"),
    (40, "Q1_0"),
];

/// What a header says of the type of its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// Not quantized.
    Full(&'static str),
    /// Quantized so.
    Quantized(&'static str),
    /// Probably so: the writer marked it as a guess.
    Guessed(&'static str),
    /// A number without a known name.
    Unknown(u64),
}

impl FileType {
    /// The type of a number.
    pub(crate) fn of(number: u64) -> Self {
        let named = |list: &[(u64, &'static str)], number: u64| {
            list.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
        };
        if let Some(name) =
            number.checked_sub(GUESSED).and_then(|bare| named(&FULL, bare).or_else(|| named(&QUANTIZED, bare)))
        {
            return Self::Guessed(name);
        }
        named(&FULL, number)
            .map(Self::Full)
            .or_else(|| named(&QUANTIZED, number).map(Self::Quantized))
            .unwrap_or(Self::Unknown(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names_or_are_said_to_have_none() {
        for (number, expected) in [
            (0, FileType::Full("F32")),
            (32, FileType::Full("BF16")),
            (15, FileType::Quantized("Q4_K_M")),
            (38, FileType::Quantized("MXFP4_MOE")),
            (39, FileType::Quantized("NVFP4")),
            (40, FileType::Quantized("Q1_0")),
            (1024 + 38, FileType::Guessed("MXFP4_MOE")),
            (1024 + 1, FileType::Guessed("F16")),
            (41, FileType::Unknown(41)),
            (1024, FileType::Guessed("F32")),
            (2048, FileType::Unknown(2048)),
            (u64::MAX, FileType::Unknown(u64::MAX)),
        ] {
            assert_eq!(FileType::of(number), expected, "{number}");
        }
    }
}

//! How long a GGUF file must be by its own header.

/// The alignment of the tensors' data where `general.alignment` says none.
pub(crate) const DEFAULT_ALIGNMENT: u64 = 32;

/// For each type of tensor: its number, how many weights a block has, and how many bytes (ggml's `type_traits`).
const TYPES: [(u32, u64, u64); 34] = [
    (0, 1, 4),      // F32
    (1, 1, 2),      // F16
    (2, 32, 18),    // Q4_0
    (3, 32, 20),    // Q4_1
    (6, 32, 22),    // Q5_0
    (7, 32, 24),    // Q5_1
    (8, 32, 34),    // Q8_0
    (9, 32, 36),    // Q8_1
    (10, 256, 84),  // Q2_K
    (11, 256, 110), // Q3_K
    (12, 256, 144), // Q4_K
    (13, 256, 176), // Q5_K
    (14, 256, 210), // Q6_K
    (15, 256, 292), // Q8_K
    (16, 256, 66),  // IQ2_XXS
    (17, 256, 74),  // IQ2_XS
    (18, 256, 98),  // IQ3_XXS
    (19, 256, 50),  // IQ1_S
    (20, 32, 18),   // IQ4_NL
    (21, 256, 110), // IQ3_S
    (22, 256, 82),  // IQ2_S
    (23, 256, 136), // IQ4_XS
    (24, 1, 1),     // I8
    (25, 1, 2),     // I16
    (26, 1, 4),     // I32
    (27, 1, 8),     // I64
    (28, 1, 8),     // F64
    (29, 256, 56),  // IQ1_M
    (30, 1, 2),     // BF16
    (34, 256, 54),  // TQ1_0
    (35, 256, 66),  // TQ2_0
    (39, 32, 17),   // MXFP4
    (40, 64, 36),   // NVFP4
    (41, 128, 18),  // Q1_0
];

/// Whether weights of a type stand in blocks that share a scale: they are quantized. Of a type that is not known, it is taken for so.
pub(crate) fn is_of_blocks(kind: u32) -> bool {
    TYPES.iter().find(|(known, ..)| *known == kind).is_none_or(|(_, weights, _)| *weights > 1)
}

/// Where the data of a tensor ends, counted from the beginning of all data.
///
/// Of a type that is not known, the tensor's own bytes are not counted: the answer is a bound from below.
pub(crate) fn end_of_tensor(kind: u32, weights: u64, offset: u64) -> u64 {
    let bytes = TYPES
        .iter()
        .find(|(known, ..)| *known == kind)
        .map_or(0, |(_, weights_of_block, bytes)| (weights / weights_of_block).saturating_mul(*bytes));
    offset.saturating_add(bytes)
}

/// The least length of a file whose header is `header` bytes and whose data ends at `end`.
pub(crate) fn least_length(header: u64, alignment: u64, end: u64) -> u64 {
    if end == 0 {
        return header;
    }
    let alignment = alignment.max(1);
    header.div_ceil(alignment).saturating_mul(alignment).saturating_add(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_take_whole_blocks_behind_an_aligned_header() {
        assert_eq!(end_of_tensor(0, 10, 64), 104);
        assert_eq!(end_of_tensor(2, 64, 0), 36);
        assert_eq!(end_of_tensor(12, 512, 8), 296);
        assert_eq!(least_length(33, 32, 10), 74);
        assert_eq!(least_length(64, 32, 10), 74);
        assert_eq!(least_length(33, 32, 0), 33);
    }

    #[test]
    fn unknown_types_and_numbers_that_lie_give_a_bound_and_no_panic() {
        assert_eq!(end_of_tensor(9999, u64::MAX, 7), 7);
        assert_eq!(end_of_tensor(0, u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(least_length(u64::MAX, 0, u64::MAX), u64::MAX);
        assert_eq!(least_length(1, u64::MAX, 1), u64::MAX);
    }
}

//! The names of the documents that a program writes with `--json`.

/// The name of a document with its version, such as `stele/verify@v1`: the value of its field `schema`.
///
/// A program declares its documents once, with [`schemas!`](crate::schemas); `docs/schemas` has a file for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema(&'static str);

impl Schema {
    /// A name, for the table of a program.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The text.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// Declares the documents of a program: a constant for each, and `ALL`, the table of them.
#[macro_export]
macro_rules! schemas {
    ($($name:ident = $text:literal;)+) => {
        $(
            #[doc = concat!("`", $text, "`.")]
            pub const $name: $crate::schema::Schema = $crate::schema::Schema::new($text);
        )+
        /// Every document of the program.
        pub const ALL: &[$crate::schema::Schema] = &[$($name),+];
    };
}

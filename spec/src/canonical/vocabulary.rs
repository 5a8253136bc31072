//! Closed vocabularies: a word is the same text in CBOR, JSON and TOML, and another word is refused by name.

/// Declares an enum of words, with their text, `FromStr`, `Display` and serde.
macro_rules! vocabulary {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $( $(#[$word_doc:meta])* $word:ident = $text:literal, )+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[$word_doc])* $word, )+ }

        impl $name {
            /// The whole vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];
            /// The texts of the vocabulary.
            pub const TEXTS: &'static [&'static str] = &[$($text,)+];

            /// The text of the word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }

            /// The word with this text.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$word),)+ _ => None }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct OneOf;

                impl serde::de::Visitor<'_> for OneOf {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::from_text(text).ok_or_else(|| E::unknown_variant(text, $name::TEXTS))
                    }

                    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        match core::str::from_utf8(bytes) {
                            Ok(text) => self.visit_str(text),
                            Err(_) => Err(E::invalid_value(serde::de::Unexpected::Bytes(bytes), &self)),
                        }
                    }
                }

                deserializer.deserialize_string(OneOf)
            }
        }
    };
}

pub(crate) use vocabulary;

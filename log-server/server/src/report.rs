//! How a verb answers: text for people, or one document for programs.

use serde_json::{Value, json};
use stele_explain::Exit;
use stele_terminal::output::{self, OutputError};
use stele_terminal::schema::Schema;

/// Text for people, and the fields of the document that says the same.
#[derive(Debug)]
pub struct Report {
    /// The document's name.
    pub schema: Schema,
    /// The text.
    pub text: String,
    /// The fields.
    pub fields: Value,
}

impl Report {
    /// Prints it on stdout, as what was asked for.
    pub fn print(&self, as_json: bool) -> Result<(), OutputError> {
        if !as_json {
            return output::print(&self.text);
        }
        let mut document = json!({"schema": self.schema.name(), "ok": true, "exit": Exit::Ok.number()});
        if let (Some(document), Some(fields)) = (document.as_object_mut(), self.fields.as_object()) {
            document.extend(fields.clone());
        }
        output::print_json(&document)
    }

    /// Prints it beside an error that the verb ends with. With `as_json` the error is the one document on stdout, and the text is a message.
    pub fn print_beside_error(&self, as_json: bool) -> Result<(), OutputError> {
        if as_json {
            output::complain(&self.text);
            return Ok(());
        }
        output::print(&self.text)
    }
}

//! What somebody does who means harm: to a reader, to a log, to a witness.

mod bad_input;
mod bytes;
mod changed_answers;
mod failure_modes;
mod hidden;
mod hostile_http;
mod lying_log;
mod lying_registry;
mod passwords;
mod under_a_command;

//! What is written down is what happens: transcripts, and the commands of the documents.

mod cli;
mod readme;
mod schemas;

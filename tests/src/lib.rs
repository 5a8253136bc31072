//! The house seen from outside: a real network of the real binaries, and what stories need to be told about it.
//!
//! Nothing here uses the code of the programs: the binaries are started as processes, spoken to over HTTP and the command
//! line, and judged by what they answer and by what is on the disk. Only the formats are shared, through `stele-spec`.
//!
//! | room | one concept |
//! |---|---|
//! | [`failure`] | why a step of a story did not go as told |
//! | [`binaries`] | where the programs are, built once |
//! | [`process`] | one server process: started, stopped, killed, started again on the same port |
//! | [`http`] | one request and its answer, with nothing done behind the caller's back |
//! | [`file_server`] | the files of a folder, served by a server that knows nothing of them |
//! | [`hub`] | a stand-in for the hubs that tests cannot reach |
//! | [`interrupt`] | Ctrl-C and SIGTERM, so that nothing is left behind |
//! | [`command`] | one run of a command-line program, and what it printed |
//! | [`network`] | a log and its witnesses in a folder of their own |
//! | [`crowd`] | strangers who occupy a server |
//! | [`model`] | a small but real model folder, the same bytes for the same seed |
//! | [`proxy`] | what stands between a client and a log, and answers some requests itself |
//! | [`publisher`] | what a publisher and a downloader type |
//! | [`release_toml`] | a draft completed with decisions that a person would make |
//! | [`statements`] | signed statements without the client |
//! | [`lying_log`] | a log without a server that signs whatever it is told |
//! | [`history`] | the log read back and replayed: every tree head ever seen must be a prefix of it |
//! | [`conformance`] | any witness, held against the specification |
//! | [`bench`] | what the house costs, measured from outside |

pub mod auditor;
pub mod bench;
pub mod binaries;
pub mod command;
pub mod conformance;
pub mod crowd;
pub mod failure;
pub mod file_server;
pub mod history;
pub mod http;
pub mod hub;
pub mod interrupt;
pub mod lying_log;
pub mod model;
pub mod network;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod release_toml;
pub mod statements;

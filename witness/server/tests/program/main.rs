//! `stele-witness` as its operator and the logs that it follows meet it. One program: what is linked once is not linked twelve times.

mod agent;
mod bastion;
mod common;
mod conformance;
mod connections;
mod crash;
mod machine;
mod mirror;
mod operator;
mod pull;
mod push;
mod schemas;
mod state;
mod test_bastion;
